/** The console's API as the page asks it: JSON in and out, Ory's error bodies as exceptions. */
import { signal } from '@preact/signals'

export class ApiError extends Error {
  readonly status: number
  readonly details: Readonly<Record<string, unknown>>

  constructor(status: number, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.status = status
    this.details = details
  }
}

/** Set when the API asks for a key: the page shows the sign-in. */
export const needsKey = signal(false)

export interface Answer<T> {
  readonly body: T
  /** Path and query of the next page; undefined on the last one. */
  readonly next: string | undefined
  readonly headers: Headers
}

type Parameters = Readonly<Record<string, string | number | boolean | undefined>>

export async function get<T>(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<Answer<T>> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') query.set(name, String(value))
  const url = query.size === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`
  return request<T>(url, { ...(signal && { signal }) })
}

export function post<T>(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Answer<T>> {
  return send<T>('POST', path, body, headers)
}

export function send<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const hasBody = body !== undefined
  return request<T>(path, {
    method,
    headers: { ...headers, ...(hasBody && { 'content-type': 'application/json' }) },
    ...(hasBody && { body: JSON.stringify(body) }),
  })
}

async function request<T>(url: string, init: RequestInit): Promise<Answer<T>> {
  const response = await fetch(url, { credentials: 'same-origin', ...init }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'The console does not answer. Is it running?')
  })
  const text = await response.text()
  const body = parse(text)
  if (!response.ok) throw refused(response.status, body)
  const next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
  return { body: body as T, next, headers: response.headers }
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined // not ours: the status says enough
  }
}

function refused(status: number, body: unknown): ApiError {
  if (status === 401) needsKey.value = true
  const error = (
    body as { error?: { message?: string; reason?: string; details?: Record<string, unknown> } } | undefined
  )?.error
  const words = [error?.message, error?.reason].filter((part) => part).join(': ')
  return new ApiError(status, words || `The console answered ${status}.`, error?.details ?? {})
}
