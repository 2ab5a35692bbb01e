/** How delivery-status events look as rows: the fields of the contract as columns, and beside them what the record itself tells. */
import type { InRecord } from '#libs/bus'
import { STATUS_SCHEMA } from '#libs/messages'

interface Field {
  readonly type?: string
  readonly format?: string
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Field>>
}

/** Of no use for analysis, and larger than all the rest. */
const LEFT_OUT = 'sealed'
const OF_RECORD = {
  event_id: 'UUID',
  recorded_at: 'TIMESTAMPTZ',
  kafka_partition: 'INTEGER',
  kafka_offset: 'BIGINT',
}
const SCALARS: Readonly<Record<string, string>> = { string: 'VARCHAR', integer: 'INTEGER', boolean: 'BOOLEAN' }

/** Name to type, as DuckDB writes them. Fields of a later contract are not among them. */
export function eventColumns(): Readonly<Record<string, string>> {
  return { ...OF_RECORD, ...columnsOf(STATUS_SCHEMA.properties as Readonly<Record<string, Field>>) }
}

/** @returns undefined for what is no delivery-status event */
export function eventRow({ headers, value, timestampMs, offset }: InRecord, partition: number): object | undefined {
  const data = parsed(value)
  const eventId = headers.ce_id?.toString()
  if (eventId === undefined || typeof data?.message_id !== 'string') return undefined
  const { [LEFT_OUT]: _, ...facts } = data
  const recordedAt = new Date(timestampMs).toISOString()
  return { event_id: eventId, recorded_at: recordedAt, kafka_partition: partition, kafka_offset: offset, ...facts }
}

function columnsOf(fields: Readonly<Record<string, Field>>): Record<string, string> {
  const kept = Object.entries(fields).filter(([name]) => name !== LEFT_OUT)
  return Object.fromEntries(kept.map(([name, field]) => [name, typeOf(field)]))
}

function typeOf({ type = '', format, pattern, properties }: Field): string {
  if (properties !== undefined) {
    const inner = Object.entries(columnsOf(properties)).map(([name, of]) => `"${name}" ${of}`)
    return `STRUCT(${inner.join(', ')})`
  }
  if (format === 'date-time') return 'TIMESTAMPTZ'
  // Half the size, and several times as fast to group by.
  if (pattern?.startsWith('^[0-9a-f]{8}-')) return 'UUID'
  return SCALARS[type] ?? 'VARCHAR'
}

function parsed(value: Buffer | null): Record<string, unknown> | undefined {
  try {
    const data: unknown = JSON.parse(String(value))
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : undefined
  } catch {
    return undefined // not ours
  }
}
