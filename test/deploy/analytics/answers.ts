/** What the queries of deploy/analytics have to answer, computed from the stories themselves, without SQL and in another way. */
import type { EventState, StatusData } from '#libs/messages'
import { projectStatus, unknownMessage } from '../../../services/projector/project-status.ts'
import { AT, HOUR, type Story } from './stories.ts'

type Row = readonly unknown[]
type Text = string | null

const WENT_OUT: readonly EventState[] = ['sent', 'delivered', 'bounced', 'complained']
const FEEDBACK: readonly EventState[] = ['delivered', 'bounced', 'complained']

interface Message {
  readonly id: string
  readonly facts: readonly StatusData[]
  readonly first: StatusData
  readonly sent: readonly StatusData[]
  readonly state: string
}

export function messagesOf(stories: readonly Story[]): Message[] {
  const grouped = Map.groupBy(stories, ({ data }) => data.message_id)
  return [...grouped].map(([id, told]) => {
    const projected = told.reduce(
      (message, { data, eventId }) =>
        projectStatus(message, {
          kind: 'status',
          id: eventId,
          event: { id: eventId, data, traceparent: '', createdBy: '' },
        }),
      unknownMessage(id),
    )
    const facts = told.map(({ data }) => data)
    const sent = facts.filter(({ status }) => status === 'sent')
    return { id, facts, first: facts[0]!, sent, state: projected.progress.state }
  })
}

export function funnel(messages: readonly Message[]): Row[] {
  const groups = Map.groupBy(messages, ({ first }) => keyOf(first.template_type, first.recipient_domain ?? '(unknown)'))
  const rows = [...groups].map(([key, all]) => {
    const has = (status: EventState) => all.filter(({ facts }) => facts.some((fact) => fact.status === status)).length
    const sent = all.filter(({ facts }) => facts.some(({ status }) => WENT_OUT.includes(status)))
    const waiting = all.filter(({ state }) => state === 'deferred' || state === 'held').length
    const attempted = all.filter(({ facts }) => facts.some((fact) => fact.attempted)).length
    return [
      ...partsOf(key),
      all.length,
      attempted,
      sent.length,
      has('delivered'),
      has('bounced'),
      waiting,
      all.length - sent.length - waiting,
      round((100 * sent.length) / all.length, 2),
    ]
  })
  return rows.sort((a, b) => down(a[2], b[2]) || up(a[0], b[0]) || up(a[1], b[1])).slice(0, 20)
}

export function timeToSent(messages: readonly Message[]): Row[] {
  const groups = Map.groupBy(sentOnes(messages), ({ first }) => first.template_type)
  const rows = [...groups].map(([template, all]) => {
    const times = timesOf(all)
    return [template, all.length, rank(times, 0.5), rank(times, 0.95), rank(times, 0.99), times.at(-1)]
  })
  return rows.sort((a, b) => down(a[4], b[4]) || up(a[0], b[0]))
}

export function timeToSentOverTime(messages: readonly Message[], bucketMs: number): Row[] {
  const lately = sentOnes(messages).filter((message) => sentMs(message) > AT - HOUR)
  const groups = Map.groupBy(lately, (message) => Math.floor(sentMs(message) / bucketMs) * bucketMs)
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([since, all]) => {
      const times = timesOf(all)
      return [new Date(since).toISOString(), all.length, rank(times, 0.5), rank(times, 0.95), rank(times, 0.99)]
    })
}

export function deferralReasons(stories: readonly Story[]): Row[] {
  const deferred = stories.map(({ data }) => data).filter(({ status }) => status === 'deferred')
  const groups = Map.groupBy(deferred, (data) =>
    keyOf(`${data.occurred_at.slice(0, 13)}:00:00.000Z`, data.failure_class ?? null, replyText(data)),
  )
  const rows = [...groups].map(([key, all]) => [...partsOf(key), all.length, idsOf(all)])
  // DuckDB puts null last.
  return rows
    .sort((a, b) => down(a[0], b[0]) || down(a[3], b[3]) || up(a[1], b[1]) || up(a[2] ?? '~', b[2] ?? '~'))
    .slice(0, 20)
}

export function providers(stories: readonly Story[]): Row[] {
  const tries = stories.map(({ data }) => data).filter((data) => data.attempted && !FEEDBACK.includes(data.status))
  const groups = Map.groupBy(tries, ({ provider }) => provider ?? '(none)')
  const rows = [...groups].map(([provider, all]) => {
    const count = (status: EventState) => all.filter((data) => data.status === status).length
    const sends = all.map(({ durations_ms }) => durations_ms.send!).sort((a, b) => a - b)
    return [
      provider,
      all.length,
      round((100 * count('sent')) / all.length, 2),
      round((100 * count('deferred')) / all.length, 2),
      count('abandoned'),
      all.filter((data) => data.possibly_delivered).length,
      mostCommon(all.flatMap(({ failure_class }) => failure_class ?? [])),
      rank(sends, 0.5),
      rank(sends, 0.99),
    ]
  })
  return rows.sort((a, b) => down(a[1], b[1]) || up(a[0], b[0]))
}

/** Message and why, newest first. */
export function possiblySentTwice(messages: readonly Message[], firstRecordedMs: number): Row[] {
  const rows = messages.flatMap(({ id, facts, first, sent }) => {
    const last = sent
      .map(({ occurred_at }) => occurred_at)
      .sort()
      .at(-1)
    if (last === undefined) return []
    const tries = new Set(facts.map(({ dispatch }) => dispatch).filter((dispatch) => dispatch > 0))
    const isWhole = Date.parse(first.queued_at) > firstRecordedMs
    const why =
      new Set(sent.map(({ dispatch }) => dispatch)).size > 1
        ? 'sent by several tries'
        : facts.some((fact) => fact.possibly_delivered)
          ? 'sent after a try without an answer'
          : isWhole && tries.size < Math.max(...tries)
            ? 'sent after a try that nobody reported'
            : undefined
    return why === undefined ? [] : [[id, why, last]]
  })
  return rows.sort((a, b) => down(a[2], b[2]) || up(a[0], b[0])).slice(0, 20)
}

export function whySentDropped(stories: readonly Story[]): Row[] {
  const lines = new Map<string, { before: Set<string>; now: Set<string> }>()
  const add = (data: StatusData, at: string, what: string, dimension: string, value: Text): void => {
    const agoMs = AT - Date.parse(at)
    if (agoMs < 0 || agoMs >= 2 * HOUR) return
    const key = keyOf(what, dimension, value ?? '(none)')
    const line = lines.get(key) ?? { before: new Set(), now: new Set() }
    lines.set(key, line)
    line[agoMs < HOUR ? 'now' : 'before'].add(data.message_id)
  }
  for (const { data } of stories) {
    const { status, occurred_at, provider = null, recipient_domain: domain = null, failure_class = null } = data
    add(data, data.queued_at, 'asked for', 'all', '')
    const what = status === 'sent' ? 'sent' : FEEDBACK.includes(status) ? undefined : 'not sent'
    if (what === undefined) continue
    const shared: [string, Text][] = [
      ['all', ''],
      ['provider', provider],
      ['domain', domain],
    ]
    const sent: [string, Text][] = [
      ['template', data.template_type],
      ['lane', data.lane],
      ['project', data.project_id],
    ]
    const failed: [string, Text][] = [
      ['state', status],
      ['class', failure_class],
      ['reply', replyText(data)],
    ]
    for (const [dimension, value] of [...shared, ...(what === 'sent' ? sent : failed)])
      add(data, occurred_at, what, dimension, value)
  }
  const total = lines.get(keyOf('sent', 'all', ''))!
  const missing = Math.max(total.before.size - total.now.size, 0)
  const rows = [...lines].flatMap(([key, { before, now }]) => {
    const [what, dimension, value] = partsOf(key)
    const change = now.size - before.size
    // Of one value in all: project and lane.
    if (what === 'sent' && (dimension === 'project' || dimension === 'lane')) return []
    if (change === 0 && dimension !== 'all') return []
    const share = missing === 0 ? null : round((100 * (what === 'not sent' ? change : -change)) / missing, 1)
    return [[what, dimension, value, before.size, now.size, change, share]]
  })
  const isTotal = (row: Row): number => (row[1] === 'all' ? 0 : 1)
  return rows
    .sort(
      (a, b) =>
        isTotal(a) - isTotal(b) ||
        down(Math.abs(Number(a[5])), Math.abs(Number(b[5]))) ||
        up(a[0], b[0]) ||
        up(a[1], b[1]) ||
        up(a[2], b[2]),
    )
    .slice(0, 25)
}

function sentOnes(messages: readonly Message[]): Message[] {
  return messages.filter(({ sent }) => sent.length > 0)
}

function sentMs({ sent }: Message): number {
  return Math.min(...sent.map(({ occurred_at }) => Date.parse(occurred_at)))
}

/** Ascending. */
function timesOf(messages: readonly Message[]): number[] {
  return messages.map((message) => sentMs(message) - Date.parse(message.first.queued_at)).sort((a, b) => a - b)
}

/** The smallest value that at least this share of all does not exceed. */
function rank(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.ceil(share * sorted.length) - 1]
}

function replyText({ reply }: StatusData): Text {
  if (reply === undefined) return null
  return [reply.code, reply.enhanced, 'to', reply.command].filter((part) => part !== undefined).join(' ')
}

function mostCommon(names: readonly string[]): Text {
  const counts = [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length] as const)
  return counts.sort((a, b) => b[1] - a[1] || up(a[0], b[0]))[0]?.[0] ?? null
}

function idsOf(facts: readonly StatusData[]): number {
  return new Set(facts.map(({ message_id }) => message_id)).size
}

function keyOf(...parts: readonly Text[]): string {
  return JSON.stringify(parts)
}

function partsOf(key: string): Text[] {
  return JSON.parse(key) as Text[]
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

function up(a: unknown, b: unknown): number {
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0
}

function down(a: unknown, b: unknown): number {
  return typeof a === 'number' && typeof b === 'number' ? b - a : up(b, a)
}
