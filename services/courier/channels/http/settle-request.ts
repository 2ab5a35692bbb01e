/** The part of every request that is the same for every mail, checked once. */
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { CodedError } from '#libs/errors'
import { decodeBase64 } from '#libs/resources'
import { authorize } from './authorize.ts'
import type { RequestConfig } from './http-options.ts'
import { openRequestHeaders, type RequestHeaders } from './request-headers.ts'

export interface SettledRequest {
  readonly url: URL
  readonly method: string
  /** `host`, or `host:port` where the port is not the scheme's own; for messages. */
  readonly place: string
  readonly port: number
  /** Names and values by turns. */
  readonly headers: readonly string[]
  readonly format: 'json' | 'form' | 'none'
  /** The template's URI; undefined for the built-in one. */
  readonly bodyUri: string | undefined
}

const FORMATS: Record<string, 'json' | 'form' | undefined> = {
  'application/json': 'json',
  'application/x-www-form-urlencoded': 'form',
}

/** These say where a message ends and how long a connection lives, which is decided while sending. */
const OF_THE_CONNECTION = new Set([
  ...['connection', 'content-length', 'expect', 'keep-alive', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
])

/** @throws CONFIG_INVALID naming the key below `setting`; no value is quoted, since every one may be a secret */
export function settleRequest(config: RequestConfig, setting: string): SettledRequest {
  const url = urlOf(config, setting)
  const method = methodOf(config, setting)
  const headers = headersOf(config, url, setting)
  const base64Body = config.body?.startsWith('base64://') ? config.body : undefined
  if (base64Body !== undefined) checked(() => decodeBase64(base64Body), `${setting}.body`)
  return {
    url,
    method,
    place: url.host,
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    headers: headers.list(),
    format: method === 'TRACE' ? 'none' : formatOf(headers, setting),
    bodyUri: config.body,
  }
}

function urlOf({ url: text }: RequestConfig, setting: string): URL {
  if (text === undefined || !URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw invalid(`${setting}.url`, 'expected an http:// or https:// URL with a host')
  }
  return new URL(text)
}

function methodOf({ method }: RequestConfig, setting: string): string {
  const name = method.toUpperCase()
  if (name === '') return 'POST'
  if (!/^[A-Z-]+$/.test(name) || name === 'CONNECT')
    throw invalid(`${setting}.method`, 'expected a method such as POST')
  return name
}

function headersOf(config: RequestConfig, url: URL, setting: string): RequestHeaders {
  const headers = openRequestHeaders([
    ['User-Agent', 'Postrider'],
    ['Content-Type', 'application/json'],
  ])
  for (const [name, value] of Object.entries(config.headers)) {
    const key = `${setting}.headers`
    checked(() => validateHeaderName(name), key)
    checked(() => validateHeaderValue(name, value), `${key}.${name}`)
    if (OF_THE_CONNECTION.has(name.toLowerCase())) throw invalid(`${key}.${name}`, 'is made while sending: take it out')
    headers.set(name, value)
  }
  authorize(headers, config.auth, url, setting)
  // The message's own id stands there: one that is the same for all would make a provider drop all but the first.
  headers.remove('Idempotency-Key')
  return headers
}

function formatOf(headers: RequestHeaders, setting: string): 'json' | 'form' {
  const format = FORMATS[headers.get('Content-Type') ?? '']
  if (format !== undefined) return format
  const allowed = Object.keys(FORMATS).join(' or ')
  throw invalid(`${setting}.headers.Content-Type`, `expected ${allowed}, exactly and without charset`)
}

/** Node's own messages would quote the value. */
function checked(check: () => unknown, key: string): void {
  try {
    check()
  } catch (error) {
    if (error instanceof CodedError) throw invalid(key, error.message)
    throw invalid(key, 'expected the characters of a header, without line breaks')
  }
}

function invalid(key: string, problem: string): CodedError {
  return new CodedError('CONFIG_INVALID', `${key}: ${problem}`)
}
