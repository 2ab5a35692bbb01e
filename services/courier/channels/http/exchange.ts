/** One request and its answer, or how far it came. */
import type { IncomingHttpHeaders } from 'node:http'
import { performance } from 'node:perf_hooks'
import { connectProblem } from '#libs/resources'
import type { Connection } from './connection.ts'
import type { HttpSignal } from './http-signal.ts'

export interface WireRequest {
  readonly method: string
  readonly path: string
  /** Names and values by turns. */
  readonly headers: readonly string[]
  readonly body: string
  readonly timeoutMs: number
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The beginning, where it is long. */
  readonly body: Buffer
  /** When its head came, on the clock of `performance.now()`. */
  readonly headAtMs: number
}

export interface Exchanged {
  readonly answer?: Answer
  /** Set where no answer came. */
  readonly signal?: HttpSignal
  /** Whether the connection may take another request. */
  readonly keeps: boolean
}

/** Enough for an id in it; a server that goes on is cut off. */
const MAX_BODY_BYTES = 64 * 1024

/** Never rejects. Ends within `timeoutMs`; the client of a connection that does not keep is destroyed. */
export function exchange(connection: Connection, request: WireRequest): Promise<Exchanged> {
  const { client } = connection
  const { method, path, headers, body, timeoutMs } = request
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    let isStarted = false
    let head: Omit<Answer, 'body'> | undefined

    const timer = setTimeout(() => cutOff(true), Math.max(1, timeoutMs))

    function end(exchanged: Exchanged): void {
      clearTimeout(timer)
      resolve(exchanged)
    }

    /** Once the status is known the rest of the answer changes nothing. */
    function cutOff(isTimeout: boolean, error?: unknown): void {
      end({ ...(head === undefined ? { signal: lost(isTimeout, error) } : { answer: answer(head) }), keeps: false })
      client.destroy().catch(() => undefined)
    }

    function lost(isTimeout: boolean, error: unknown): HttpSignal {
      if (!isStarted) return { kind: 'unconnected', problem: connectProblem(isTimeout ? TIMED_OUT : error) }
      return { kind: isPartlySent(connection) ? 'unsent' : 'unanswered', isTimeout }
    }

    function answer(of: Omit<Answer, 'body'>): Answer {
      return { ...of, body: Buffer.concat(chunks) }
    }

    client.dispatch(
      { method, path, headers: [...headers], body: body === '' ? null : body },
      {
        onRequestStart: () => {
          isStarted = true
        },
        onResponseStart: (_controller, status, responseHeaders) => {
          if (status >= 200) head = { status, headers: responseHeaders, headAtMs: performance.now() }
        },
        onResponseData: (_controller, chunk) => {
          size += chunk.length
          chunks.push(chunk)
          if (size > MAX_BODY_BYTES) cutOff(false)
        },
        onResponseEnd: () => {
          if (head !== undefined) end({ answer: answer(head), keeps: true })
        },
        onResponseError: (_controller, error) => cutOff(false, error),
      },
    )
  })
}

const TIMED_OUT = { code: 'ETIMEDOUT' }

/** Only a connection that still stands can prove it: what a broken one had taken nobody knows. */
function isPartlySent({ socket }: Connection): boolean {
  return socket !== undefined && !socket.destroyed && socket.writableLength > 0
}
