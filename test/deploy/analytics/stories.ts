/**
 * Invented lives of messages and their events, the same ones every time, and a topic that has them as Kafka would: copies among
 * them, and events of a message out of order.
 */
import { openProducer } from '#libs/bus'
import {
  asMessageId,
  type EncodedStatus,
  type EventState,
  encodeStatus,
  isTerminal,
  partitionOfId,
  type StatusData,
  statusEventId,
} from '#libs/messages'
import { log } from '../../libs/bus/kafka-fixture.ts'

export const PARTITIONS = 4
/** The time asked about ends here. */
export const AT = Date.parse('2026-01-02T12:00:00Z')
export const HOUR = 3_600_000

const TEMPLATES = ['login_code_valid', 'recovery_code_valid', 'verification_code_valid'] as const
const DOMAINS = ['mail.example', 'post.example', 'firma.example', undefined] as const
const PROVIDERS = ['smtp.north.example', 'smtp.south.example'] as const
const NO_ANSWER = { failure_class: 'ambiguous', error: 'no answer after the final dot', possibly_delivered: true }
const GREYLISTED = {
  failure_class: 'greylisted',
  error: 'the mail server asks to come again later',
  reply: { code: 451, enhanced: '4.7.1', command: 'RCPT' },
}
const THROTTLED = { failure_class: 'throttled', error: 'too many', reply: { code: 421, command: 'CONNECT' } }
const REFUSED = {
  failure_class: 'permanent_recipient',
  error: 'the mail server knows no such mailbox',
  reply: { code: 550, enhanced: '5.1.1', command: 'RCPT' },
}

/** What happens at a try, and when, in ms after the message was accepted. */
type Step = readonly [dispatch: number, status: EventState, afterMs: number, more?: Partial<StatusData>]

const LIVES: readonly (readonly Step[])[] = [
  [[1, 'sent', 240]],
  [
    [1, 'sent', 310],
    [1, 'delivered', 4_000],
  ],
  [
    [1, 'sent', 280],
    [1, 'bounced', 9_000, REFUSED],
  ],
  [
    [1, 'deferred', 500, GREYLISTED],
    [2, 'sent', 31_000],
    [2, 'delivered', 33_000],
  ],
  [
    [1, 'deferred', 700, THROTTLED],
    [2, 'deferred', 31_000, GREYLISTED],
    [3, 'abandoned', 340_000, GREYLISTED],
  ],
  [
    [1, 'deferred', 20_000, NO_ANSWER],
    [2, 'sent', 52_000],
  ],
  [[1, 'abandoned', 400, REFUSED]],
  // Its first courier died.
  [[2, 'sent', 21_000]],
  [[0, 'expired', 900_000, { attempted: false, failure_class: 'expired' }]],
  [[1, 'held', 20_000, NO_ANSWER]],
  [[1, 'deferred', 450, GREYLISTED]],
]
/** How often each life is lived; in the last hour another share is in trouble. */
const USUAL = [40, 40, 2, 6, 1, 1, 3, 1, 2, 1, 3]
const LATELY = [25, 20, 2, 25, 12, 1, 3, 1, 2, 1, 8]

export interface Story {
  readonly data: StatusData
  readonly eventId: string
}

/** At least `count` facts of messages that were accepted in the three hours before AT. */
export function tellStories(count: number): Story[] {
  const random = openRandom(7)
  const stories: Story[] = []
  for (let n = 0; stories.length < count; n++) {
    const queuedMs = AT - Math.floor(random() * 3 * HOUR)
    const chosen = {
      template: pick(TEMPLATES, random()),
      domain: pick(DOMAINS, random()),
      provider: pick(PROVIDERS, random()),
    }
    const life = LIVES[weighted(queuedMs > AT - HOUR ? LATELY : USUAL, random())]!
    const jitterMs = Math.floor(random() * 200)
    for (const [dispatch, status, afterMs, more = {}] of life) {
      const occurredMs = queuedMs + afterMs + jitterMs
      if (occurredMs > AT) continue
      const data = dataOf(n, queuedMs, occurredMs, { ...chosen, dispatch, status, sendMs: 20 + jitterMs }, more)
      stories.push({ data, eventId: statusEventId(data.message_id, dispatch, status) })
    }
  }
  return stories
}

interface Chosen {
  readonly template: string
  readonly domain: string | undefined
  readonly provider: string
  readonly dispatch: number
  readonly status: EventState
  readonly sendMs: number
}

function dataOf(
  n: number,
  queuedMs: number,
  occurredMs: number,
  chosen: Chosen,
  more: Partial<StatusData>,
): StatusData {
  const { template, domain, provider, dispatch, status, sendMs } = chosen
  const time = queuedMs.toString(16).padStart(12, '0')
  const isGood = status === 'sent' || status === 'delivered'
  return {
    message_id: asMessageId(`${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`),
    project_id: '00000000-0000-7000-8000-000000000001',
    template_type: template,
    channel: 'email',
    status,
    severity: isGood ? 'none' : isTerminal(status) ? 'permanent' : 'temporary',
    terminal: isTerminal(status),
    dispatch,
    attempt: dispatch,
    max_attempts: 3,
    occurred_at: new Date(occurredMs).toISOString(),
    queued_at: new Date(queuedMs).toISOString(),
    expires_at: new Date(queuedMs + 900_000).toISOString(),
    attempted: true,
    possibly_delivered: false,
    durations_ms: { send: sendMs, total: occurredMs - queuedMs },
    ...(dispatch > 0 && { provider }),
    ...(domain !== undefined && { recipient_domain: domain }),
    identity_id: `identity-${n % 1_000}`,
    lane: 'urgent',
    trace_id: n.toString(16).padStart(32, '0'),
    worker: 'courier-1',
    sealed: 'e30..x',
    ...more,
  }
}

export interface StoriesInKafka {
  readonly copies: number
  /** Records that are no events. */
  readonly others: number
}

/** Every tenth fact twice; in each partition neighbours change places. */
export async function publishStories(
  brokers: string,
  topic: string,
  stories: readonly Story[],
): Promise<StoriesInKafka> {
  const random = openRandom(11)
  const lines = Array.from({ length: PARTITIONS }, (): EncodedStatus[] => [])
  let copies = 0
  for (const { data, eventId } of stories) {
    const traceparent = `00-${data.trace_id}-b7ad6b7169203331-01`
    const record = encodeStatus({ id: eventId, data, traceparent, createdBy: traceparent })
    const line = lines[partitionOfId(data.message_id, PARTITIONS)]!
    line.push(record)
    if (random() < 0.1) {
      line.splice(Math.floor(random() * line.length), 0, record)
      copies++
    }
  }
  for (const line of lines) for (let n = 0; n + 3 < line.length; n += 3) swap(line, n, n + Math.floor(random() * 4))
  lines[0]!.push({ key: 'k', value: 'no JSON', headers: {} })

  await using producer = await openProducer({ brokers: brokers.split(','), clientId: 'test', log })
  await Promise.all(lines.map((line, partition) => producer.send(topic, partition, line)))
  return { copies, others: 1 }
}

function swap<T>(list: T[], a: number, b: number): void {
  const [first, second] = [list[a]!, list[b]!]
  list[a] = second
  list[b] = first
}

function pick<T>(list: readonly T[], share: number): T {
  return list[Math.floor(share * list.length)]!
}

function weighted(weights: readonly number[], share: number): number {
  let left = share * weights.reduce((sum, weight) => sum + weight, 0)
  return weights.findIndex((weight) => {
    left -= weight
    return left < 0
  })
}

/** Mulberry32: numbers in [0, 1), the same ones for the same start. */
function openRandom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
