/** The recurring parts of the schema. Every one takes its description first. */
import { type TSchema, Type } from 'typebox'
import { DURATION } from './parse-duration.ts'

/** Only the keys named here are allowed. */
export function closed<Properties extends Record<string, TSchema>>(
  description: string,
  properties: Properties,
  options: { hidesKeys?: true } = {},
) {
  return Type.Object(properties, { description, additionalProperties: false, ...options })
}

/** Other keys may stand beside these; they are Kratos' own and ignored. */
export function open<Properties extends Record<string, TSchema>>(description: string, properties: Properties) {
  return Type.Object(properties, { description, additionalProperties: true })
}

export function text(description: string, options: { default?: string; secret?: true } = {}) {
  return Type.String({ description, ...options })
}

export function flag(description: string) {
  return Type.Boolean({ description, default: false })
}

export function integer(description: string, options: { default: number; minimum?: number; maximum?: number }) {
  return Type.Integer({ description, ...options })
}

export function port(description: string, number: number) {
  return integer(description, { default: number, minimum: 1, maximum: 65_535 })
}

/** @param options.atLeast the shortest one, as a duration */
export function duration(description: string, options: { default: string; atLeast?: string }) {
  return Type.String({ description, ...options, pattern: DURATION.source, allowed: 'a duration such as 1h30m' })
}

/** A resource that is fetched or decoded; secret, since a base64 one may hold credentials. */
export function resource(description: string) {
  return Type.String({
    description,
    pattern: '^(https?|file|base64)://',
    allowed: 'an http://, https://, file:// or base64:// URI',
    secret: true,
    uri: 'resource',
  })
}

/** Secret, since a query may hold a token. @param uri whether the secrets beside it go there */
export function webUrl(description: string, uri: 'target' | 'resource' = 'resource') {
  const allowed = 'an http:// or https:// URL'
  return Type.String({ description, pattern: '^https?://\\S+$', allowed, secret: true, uri })
}

/** A list of secrets, newest first. */
export function secretList(description: string) {
  const item = Type.String({ minLength: 16, allowed: 'text of 16 or more characters', secret: true })
  return Type.Array(item, { description, default: [], allowed: 'a list of text', secret: true })
}

/** Of headers that say how a body is written. */
const SHOWN_HEADERS = ['content-type', 'accept']

/** Names and values, all text; secret, since headers carry keys. */
export function headers(description: string, fallback?: Record<string, string>) {
  return Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string', secret: true },
    shownNames: SHOWN_HEADERS,
    description,
    ...(fallback !== undefined && { default: fallback }),
  })
}
