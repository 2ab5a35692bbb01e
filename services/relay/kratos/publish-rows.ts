/** Rows to Kafka. What it refuses for good is abandoned by an event in the message's place; what it does not take for now stays queued. */
import type { OutRecord } from '#libs/bus'
import { isCoded, messageOf } from '#libs/errors'
import { partitionOfId, partitionOfKey, type Sealer, type Topics } from '#libs/messages'
import { type Logger, traceFields } from '#libs/telemetry'
import type { Send } from '../partition-lines.ts'
import { abandonedEvent } from './abandoned-event.ts'
import { recordOfRow } from './record-of-row.ts'
import type { QueuedRow, Reservation } from './reservation.ts'

export interface ReservedRow {
  readonly row: QueuedRow
  readonly reservation: Reservation
}

export interface PublishPorts {
  readonly send: Send
  readonly sealer: Sealer
  readonly topics: Topics
  readonly partitions: number
  /** Named in events. */
  readonly worker: string
  readonly log: Logger
  /** Told what one acknowledged send of messages carried; times in epoch ms. */
  readonly onSent: (topic: string, partition: number, rows: readonly ReservedRow[], startedMs: number) => void
  readonly onFailed: (code: string, count: number) => void
  readonly onSetAside: (row: ReservedRow) => void
}

interface Flight extends ReservedRow {
  readonly topic: string
  readonly partition: number
  readonly record: OutRecord
}

interface Refused extends ReservedRow {
  readonly reason: string
}

interface Outcome {
  readonly acked: readonly ReservedRow[]
  readonly refused: readonly Refused[]
}

const NOTHING: Outcome = { acked: [], refused: [] }
const REASON_LENGTH = 300

/** Never rejects. @returns the rows that Kafka has, as a message or as an event; in no order */
export async function publishRows(rows: readonly ReservedRow[], ports: PublishPorts): Promise<ReservedRow[]> {
  const lines = new Map<string, Flight[]>()
  const refused: Refused[] = []
  for (const row of rows) {
    const flight = flightOf(row, ports)
    if ('reason' in flight) refused.push(flight)
    else addTo(lines, `${flight.topic}/${flight.partition}`, flight)
  }
  const outcomes = await Promise.all([...lines.values()].map((flights) => sendLine(flights, ports)))
  refused.push(...outcomes.flatMap((outcome) => outcome.refused))
  const aside = await Promise.all(refused.map((one) => setAside(one, ports)))
  return [...outcomes.flatMap(({ acked }) => acked), ...aside.flat()]
}

function flightOf(given: ReservedRow, { sealer, topics, partitions }: PublishPorts): Flight | Refused {
  const made = recordOfRow(given.row, given.reservation, sealer)
  if (made.kind === 'problem') return { ...given, reason: made.reason }
  const topic = made.lane === 'urgent' ? topics.messages : topics.notices
  return { ...given, topic, partition: partitionOfKey(made.record.key, partitions), record: made.record }
}

function addTo(lines: Map<string, Flight[]>, key: string, flight: Flight): void {
  const line = lines.get(key)
  if (line === undefined) lines.set(key, [flight])
  else line.push(flight)
}

/** Of one topic and partition. */
async function sendLine(flights: readonly Flight[], ports: PublishPorts): Promise<Outcome> {
  const { topic, partition } = flights[0]!
  const startedMs = Date.now()
  try {
    await ports.send(
      topic,
      partition,
      flights.map(({ record }) => record),
    )
    ports.onSent(topic, partition, flights, startedMs)
    return { acked: flights, refused: [] }
  } catch (error) {
    const refused = isCoded(error, 'PRODUCE_REFUSED') ? error.details?.refused : undefined
    if (!Array.isArray(refused)) return failed(error, flights, ports)
    const reason = messageOf(error)
    const acked = flights.filter((_, index) => !refused.includes(index))
    if (acked.length > 0) ports.onSent(topic, partition, acked, startedMs)
    return { acked, refused: flights.flatMap((one, index) => (refused.includes(index) ? { ...one, reason } : [])) }
  }
}

function failed(error: unknown, rows: readonly ReservedRow[], { onFailed, log }: PublishPorts): Outcome {
  onFailed(isCoded(error) ? error.code : '_OTHER', rows.length)
  log.warn({ rows: rows.length, reason: messageOf(error) }, 'rows not published, they wait')
  return NOTHING
}

async function setAside({ row, reservation, reason }: Refused, ports: PublishPorts): Promise<readonly ReservedRow[]> {
  const { messageId, traceparent } = reservation
  const error = reason.slice(0, REASON_LENGTH)
  const event = abandonedEvent(row, reservation, error, ports.worker)
  try {
    await ports.send(ports.topics.status, partitionOfId(messageId, ports.partitions), [event])
  } catch (failure) {
    return failed(failure, [{ row, reservation }], ports).acked
  }
  const fields = { message_id: messageId, ...traceFields(traceparent), source_id: row.id, reason: error }
  ports.log.error(fields, 'row set aside')
  ports.onSetAside({ row, reservation })
  return [{ row, reservation }]
}
