/** Checks of what is published against the public contract of the delivery-status topic. */
import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'
import { readContract } from './files.ts'

export type Schema = Readonly<Record<string, unknown>>

export interface PublishedRecord {
  readonly key: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers: Readonly<Record<string, Buffer | string | undefined>>
}

const message = parse(readContract('asyncapi.yaml')).components.messages.deliveryStatus
const data: Schema = JSON.parse(readContract('delivery-status.v1.json'))
const isStrictlyData = compile(strict(data))
const areStrictlyHeaders = compile(strict(message.headers))
const isKey = compile(message.bindings.kafka.key)

/** As a reader validates. */
export const isData: ValidateFunction = compile(data)

/** As the writers are held to it: no field, no header and no name that the contract does not have. */
export function assertPublished({ key, value, headers }: PublishedRecord): void {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)]))
  const content = JSON.parse(String(value))
  assertValid(isStrictlyData, content)
  assertValid(areStrictlyHeaders, texts)
  assertValid(isKey, String(key))
  const { message_id, status, occurred_at } = content
  assert.deepEqual(
    [String(key), texts.ce_subject, texts.ce_type, texts.ce_time],
    [message_id, message_id, `dev.postrider.delivery.${status}.v1`, occurred_at],
  )
}

function assertValid(validate: ValidateFunction, value: unknown): void {
  assert.ok(validate(value), `${JSON.stringify(value)}: ${JSON.stringify(validate.errors)}`)
}

export function compile(schema: Schema): ValidateFunction {
  const { $id: _, ...anonymous } = schema
  const ajv = new Ajv2020({ allErrors: true, strict: true, keywords: ['x-extensible-enum'] })
  addFormats.default(ajv)
  return ajv.compile(anonymous)
}

/** Objects take no further properties, and open lists of names are closed. */
export function strict<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(strict) as T
  if (typeof schema !== 'object' || schema === null) return schema
  const { 'x-extensible-enum': names, ...rest } = schema as Record<string, unknown>
  const inner = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, strict(value)]))
  return {
    ...inner,
    ...(names !== undefined && { enum: names }),
    ...(rest.type === 'object' && { additionalProperties: false }),
  } as T
}
