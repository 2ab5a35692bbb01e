/** Fetches what an http(s):// URI names: status 200 only, no redirects, two more tries where one may help. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, type Dispatcher, request } from 'undici'
import { CodedError } from '#libs/errors'
import { urlCredentials } from './basic-credentials.ts'
import { connectProblem } from './connect-problem.ts'
import { guardedConnector } from './guarded-connector.ts'
import type { Guard } from './open-guard.ts'

export interface FetchLimits {
  /** In all, with every try. */
  readonly timeoutMs: number
  readonly maxBytes: number
  /** Before the second try; double before the third. */
  readonly retryDelayMs: number
}

interface Failed {
  readonly problem: string
  readonly isFinal: boolean
  readonly cause?: unknown
}

const MORE_TRIES = 2

/** @throws RESOURCE_UNAVAILABLE naming the host and what it answered, never path or query */
export async function fetchResource(uri: string, guard: Guard, limits: FetchLimits): Promise<Buffer> {
  const url = urlOf(uri)
  const signal = AbortSignal.timeout(limits.timeoutMs)
  const agent = new Agent({ connect: guardedConnector(guard.forUrl(url.href)) })
  try {
    for (let failures = 0; ; ) {
      const fetched = await fetchOnce(url, agent, signal, limits)
      if (Buffer.isBuffer(fetched)) return fetched
      failures += 1
      if (fetched.isFinal || failures > MORE_TRIES) throw unavailable(url, fetched)
      const isRested = await sleep(limits.retryDelayMs * 2 ** (failures - 1), true, { signal }).catch(() => false)
      if (!isRested) throw unavailable(url, fetched)
    }
  } finally {
    await agent.destroy()
  }
}

function urlOf(uri: string): URL {
  if (!URL.canParse(uri)) throw new CodedError('CONFIG_INVALID', 'expected an http:// or https:// URL with a host')
  return new URL(uri)
}

async function fetchOnce(
  url: URL,
  dispatcher: Agent,
  signal: AbortSignal,
  { maxBytes, timeoutMs }: FetchLimits,
): Promise<Buffer | Failed> {
  try {
    const { statusCode, body } = await request(url, { dispatcher, signal, headers: headersOf(url) })
    if (statusCode === 200) return await readAll(body, maxBytes)
    body.on('error', () => undefined).destroy()
    const problem = `answered ${statusCode}, only 200 will do`
    return { problem, isFinal: statusCode < 500 && statusCode !== 429 && statusCode !== 408 }
  } catch (cause) {
    if (signal.aborted) return { problem: `gave no whole answer within ${timeoutMs / 1_000} s`, isFinal: true, cause }
    const { kind, words } = connectProblem(cause)
    return { problem: words, isFinal: kind === 'refused', cause }
  }
}

function headersOf(url: URL): Record<string, string> {
  const authorization = urlCredentials(url)
  return { 'user-agent': 'Postrider', ...(authorization !== undefined && { authorization }) }
}

async function readAll(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<Buffer | Failed> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) return { problem: `sent more than ${maxBytes} bytes`, isFinal: true }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function unavailable({ host }: URL, { problem, cause }: Failed): CodedError {
  return new CodedError('RESOURCE_UNAVAILABLE', `${host} ${problem}`, { cause })
}
