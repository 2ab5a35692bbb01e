/**
 * GET /admin/courier/messages/stream: messages as they change, in the JSON of the list. Each client reads on from where it is, so that
 * nothing is kept for it here, any console can go on for another, and a client that was away misses nothing for five minutes.
 */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { isTransient } from '#libs/database'
import { CodedError } from '#libs/errors'
import { type ListPorts, messagesJson } from '../list-messages.ts'
import type { MessageFilter } from '../message-filter.ts'
import { listMessages } from '../message-repository.ts'
import { currentMoment, isKept, type Moment, momentText, parseMoment, readChanges } from './change-repository.ts'
import { type EventWriter, openEventWriter, type ServerEvent, SlowClient } from './event-writer.ts'

export type StreamPorts = Omit<ListPorts, 'pageTokens'>

export interface StreamRequest {
  /** undefined: nothing can match. */
  readonly filter: MessageFilter | undefined
  readonly wantsDispatches: boolean
  readonly lastEventId: string | undefined
  /** Whether who asked may still see it: asked every second, since a stream outlives the check of its request. @default always */
  readonly isStillAllowed?: () => Promise<boolean>
}

export interface StreamLimits {
  readonly clients: number
  /** How long a client may not read. */
  readonly slowMs: number
  /** A client comes back after that, and shows its key again. */
  readonly longestMs: number
  readonly keepAliveMs: number
}

export interface MessageStreams {
  /** @throws THROTTLED when there are as many clients as one console serves */
  readonly checkRoom: () => void
  /** Takes the response over until its end. */
  readonly serve: (response: ServerResponse, request: StreamRequest, headers: Headers) => Promise<void>
  /** Ends every stream with a word; resolves when they have ended. */
  readonly close: () => Promise<void>
}

type Headers = Readonly<Record<string, string | number | string[] | undefined>>

const LIMITS: StreamLimits = { clients: 100, slowMs: 10_000, longestMs: 15 * 60_000, keepAliveMs: 15_000 }
const POLL_MS = 250
const AWAY_MS = 1_000
const ASK_AGAIN_MS = 1_000
/** Rows of one write. */
const CHUNK = 100
/** Ids in memory per client; whoever is further behind loads the list again. */
const MOST = 20_000
const EVENT_STREAM = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

export function openMessageStreams(ports: StreamPorts, limits: StreamLimits = LIMITS): MessageStreams {
  const closing = new AbortController()
  const running = new Set<Promise<void>>()

  async function serve(response: ServerResponse, request: StreamRequest, headers: Headers): Promise<void> {
    response.writeHead(200, { ...headers, ...EVENT_STREAM })
    const served = stream(response, request, { ports, limits, closing: closing.signal })
    running.add(served)
    await served.finally(() => running.delete(served))
  }

  return {
    checkRoom: () => {
      if (running.size >= limits.clients)
        throw new CodedError('THROTTLED', `This console streams to ${limits.clients} clients already.`, {
          details: { retryAfterMs: 5_000 },
        })
    },
    serve,
    close: async () => {
      closing.abort()
      await Promise.allSettled(running)
    },
  }
}

interface Setting {
  readonly ports: StreamPorts
  readonly limits: StreamLimits
  readonly closing: AbortSignal
}

async function stream(response: ServerResponse, request: StreamRequest, { ports, limits, closing }: Setting) {
  const gone = new AbortController()
  response.on('close', () => gone.abort()).on('error', () => gone.abort())
  const writer = openEventWriter(response, limits.slowMs, gone.signal)
  const stop = AbortSignal.any([gone.signal, closing, AbortSignal.timeout(limits.longestMs)])
  try {
    await follow(writer, request, { ports, limits, closing: stop })
    await writer.end({ event: 'closing', data: { reason: 'the stream ends here: connect again' } })
  } catch (error) {
    if (error instanceof SlowClient)
      await writer.end({ event: 'cut_off', data: { reason: 'this client read too slowly: connect again' } })
    else if (!gone.signal.aborted) response.destroy()
  }
}

async function follow(writer: EventWriter, request: StreamRequest, { ports, limits, closing }: Setting): Promise<void> {
  let since = await begin(writer, request, ports)
  let quietSinceMs = performance.now()
  let askedAtMs = performance.now()
  while (!closing.aborted) {
    try {
      if (performance.now() - askedAtMs > ASK_AGAIN_MS) {
        askedAtMs = performance.now()
        if ((await request.isStillAllowed?.()) === false) return
      }
      const until = await sendChanges(writer, since, request, ports)
      if (until.hasSent) quietSinceMs = performance.now()
      since = until
      if (performance.now() - quietSinceMs > limits.keepAliveMs) {
        quietSinceMs = performance.now()
        await writer.write([{ comment: 'keep-alive', id: momentText(since) }])
      }
      await sleep(POLL_MS, undefined, { signal: closing })
    } catch (error) {
      if (closing.aborted) return
      // The database is away: the client keeps its connection, and nothing is lost.
      if (!isTransient(error)) throw error
      await sleep(AWAY_MS)
    }
  }
}

/** @returns where to read on from: where the client was, or now */
async function begin(writer: EventWriter, { lastEventId }: StreamRequest, ports: StreamPorts): Promise<Moment> {
  const known = lastEventId === undefined ? undefined : parseMoment(lastEventId)
  const isResumed = known !== undefined && (await isKept(ports.database, known))
  const since = isResumed ? known : await currentMoment(ports.database)
  const opening: ServerEvent[] = [{ comment: 'connected', id: momentText(since) }]
  if (lastEventId !== undefined && !isResumed) opening.push(gap('what changed since then is not kept any more'))
  await writer.write(opening)
  return since
}

/** Events of a round carry where it began, all but the last: whoever is cut off inside gets the whole round again. */
async function sendChanges(
  writer: EventWriter,
  since: Moment,
  request: StreamRequest,
  ports: StreamPorts,
): Promise<Moment & { hasSent: boolean }> {
  const { ids, until } = await readChanges(ports.database, since, MOST + 1)
  const [from, to] = [momentText(since), momentText(until)]
  if (ids.length > MOST) {
    await writer.write([{ ...gap('more changed than can be streamed'), id: to }])
    return { ...until, hasSent: true }
  }
  let hasSent = false
  for (let start = 0; start < ids.length; start += CHUNK) {
    const isLast = start + CHUNK >= ids.length
    const events = await eventsOf(ids.slice(start, start + CHUNK), request, ports)
    hasSent ||= events.length > 0
    await writer.write(
      events.map((data, i) => ({ id: isLast && i === events.length - 1 ? to : from, event: 'message', data })),
    )
    if (isLast && hasSent && events.length === 0) await writer.write([{ id: to }])
  }
  return { ...until, hasSent }
}

/** In the order of their changes. */
async function eventsOf(ids: readonly string[], { filter, wantsDispatches }: StreamRequest, ports: StreamPorts) {
  if (filter === undefined) return []
  const groups = [...filter.groups, [{ column: 'id' as const, anyOf: ids }]]
  const rows = await listMessages(ports.database, { ...filter, groups }, ids.length)
  return messagesJson(
    rows.toSorted((a, b) => a.updated_at.getTime() - b.updated_at.getTime()),
    wantsDispatches,
    ports,
  )
}

function gap(reason: string): ServerEvent {
  return { event: 'gap', data: { reason: `${reason}: load the list again` } }
}
