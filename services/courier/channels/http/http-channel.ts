/**
 * A channel over HTTP: a request per mail whose body a Jsonnet template makes, over connections that stay open for the next. Opened on
 * demand; there is no queue, the caller keeps to `free`.
 */
import { performance } from 'node:perf_hooks'
import type { AttemptResult, Channel, OutgoingMail } from '../channel.ts'
import { attemptResult, type EndedTry } from './attempt-result.ts'
import { type Connection, openConnection } from './connection.ts'
import { exchange } from './exchange.ts'
import type { HttpChannelOptions } from './http-options.ts'
import { openRenderBody } from './render-body.ts'
import { settleRequest } from './settle-request.ts'

/** @throws CONFIG_INVALID for a request that can never be made */
export function openHttpChannel(options: HttpChannelOptions): Channel {
  const { maxConnections, timeoutMs = 10_000, setting = 'courier.http.request_config', now = Date.now } = options
  const request = settleRequest(options.requestConfig, setting)
  const { url, method } = request
  const path = url.pathname + url.search
  const renderBody = openRenderBody(options, request)
  const connecting = {
    origin: url.origin,
    guard: options.guard.forUrl(url.href),
    tls: options.tls ?? {},
    timeoutMs,
  }
  /** Taken from the end, so that few connections are kept busy and the others may go. */
  const idle: Connection[] = []
  const listeners: (() => void)[] = []
  let busy = 0
  let closing: Promise<void> | undefined
  let onDrained: (() => void) | undefined

  function send(mail: OutgoingMail, done: (attempt: AttemptResult) => void, stillWanted?: () => boolean): void {
    if (busy >= maxConnections) throw new Error('no place is free: ask for `free` before `send`')
    busy++
    attempt(mail, stillWanted).then((ended) => {
      const wasFull = busy === maxConnections
      busy--
      done(attemptResult(ended, { mail, request, setting, nowMs: now() }))
      if (busy === 0) onDrained?.()
      if (wasFull && closing === undefined) for (const listener of listeners) listener()
    })
  }

  async function attempt(mail: OutgoingMail, stillWanted: (() => boolean) | undefined): Promise<EndedTry> {
    const startedAtMs = performance.now()
    if (closing !== undefined) return { signal: { kind: 'closing' }, startedAtMs }
    const rendered = await renderBody(mail)
    if (!('body' in rendered)) return { signal: rendered, startedAtMs }
    // Asked last: what takes longest stands before it.
    if (stillWanted?.() === false) return { signal: { kind: 'expired' }, startedAtMs }
    const leftMs = Math.min(timeoutMs, mail.deadline - now())
    if (leftMs <= 0) return { signal: { kind: 'late' }, startedAtMs }
    return ask(mail.messageId, rendered.body, leftMs)
  }

  async function ask(messageId: string, body: string, leftMs: number): Promise<EndedTry> {
    const startedAtMs = performance.now()
    const connection = idle.pop() ?? openConnection(connecting)
    // The same for every try, so that a provider which knows the header takes the message once.
    const headers = [...request.headers, 'Idempotency-Key', messageId]
    const { keeps, ...ended } = await exchange(connection, { method, path, headers, body, timeoutMs: leftMs })
    if (keeps && closing === undefined) idle.push(connection)
    else connection.client.destroy().catch(() => undefined)
    return { ...ended, connection, startedAtMs }
  }

  /** What is under way ends within its own time. */
  async function drain(): Promise<void> {
    if (busy > 0) {
      await new Promise<void>((resolve) => {
        onDrained = resolve
      })
    }
    await Promise.all(idle.splice(0).map(({ client }) => client.destroy()))
  }

  return {
    get free() {
      return closing === undefined ? maxConnections - busy : 0
    },
    send,
    onFree: (callback) => {
      listeners.push(callback)
    },
    close: () => {
      closing ??= drain()
      return closing
    },
  }
}
