/** The delivery-status topic in a group of this source's own, written back batch by batch; an offset is committed behind what is durable. */
import { type Consumer, type InRecord, openConsumer } from '#libs/bus'
import { type Database, pgCode } from '#libs/database'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import { decodeStatus, type StatusEvent } from '#libs/messages'
import { type Logger, traceFields } from '#libs/telemetry'
import { type WrittenBack, writeBack } from './write-back.ts'

export interface ConsumeStatusOptions {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly groupId: string
  readonly clientId: string
  readonly database: Database
  readonly log: Logger
  readonly stopping: AbortSignal
  readonly onAssigned: () => void
  readonly onFatal: (error: unknown) => void
  readonly onWritten: (written: WrittenBack) => void
  /** An event that the database refuses for what it holds; left out, so that it holds up no other. */
  readonly onRefused: () => void
}

const BATCH = 500
const RETRY_MS = 500
/** SQLSTATE classes 22 and 23: what the values are or break. */
const OF_THE_VALUES = /^2[23]/

/** Resolves at once; disposing commits what is done and leaves the group. */
export async function consumeStatus(options: ConsumeStatusOptions): Promise<Consumer> {
  const { topic, database, log, stopping } = options
  let epoch = -1

  async function onRecords(partition: number, records: readonly InRecord[], of: number): Promise<void> {
    const events = records.flatMap((record) => decode(record, partition))
    for (let from = 0; from < events.length; from += BATCH) {
      if (!(await applyPatiently(events.slice(from, from + BATCH), of))) return
    }
    const last = records.at(-1)
    if (last !== undefined && epoch === of) consumer.commit(topic, partition, last.offset + 1)
  }

  /** @returns false when it was given up: stopped, or the partition is another member's by now, who reads the events again */
  async function applyPatiently(events: readonly StatusEvent[], of: number): Promise<boolean> {
    while (!stopping.aborted && epoch === of) {
      try {
        await apply(events)
        return true
      } catch (error) {
        log.warn({ events: events.length, reason: messageOf(error) }, 'statuses not written back, trying again')
        await sleep(RETRY_MS, stopping)
      }
    }
    return false
  }

  /** Halves a batch that the database refuses, until the culprit stands alone. */
  async function apply(events: readonly StatusEvent[]): Promise<void> {
    try {
      options.onWritten(await writeBack(database, events))
    } catch (error) {
      if (!OF_THE_VALUES.test(pgCode(error) ?? '')) throw error
      if (events.length > 1) {
        const middle = events.length >> 1
        await apply(events.slice(0, middle))
        return apply(events.slice(middle))
      }
      const [culprit] = events
      const fields = { message_id: culprit?.data.message_id, ...traceFields(culprit?.traceparent), code: pgCode(error) }
      log.error(fields, 'status refused by the database and left out')
      options.onRefused()
    }
  }

  function decode(record: InRecord, partition: number): StatusEvent[] {
    try {
      return [decodeStatus(record.value, record.headers)]
    } catch (error) {
      log.warn(
        { topic, partition, offset: record.offset, reason: messageOf(error) },
        'record is no status, passed over',
      )
      return []
    }
  }

  const consumer = await openConsumer({
    brokers: options.brokers,
    groupId: options.groupId,
    clientId: options.clientId,
    topics: [topic],
    log,
    onFatal: options.onFatal,
    onAssigned: (_, assignment) => {
      epoch = assignment.epoch
      options.onAssigned()
    },
    onRevoked: () => {
      epoch = -1
    },
    onRecords: (_, partition, records, assignment) => onRecords(partition, records, assignment.epoch),
  })
  return consumer
}
