/** Reads the delivery-status topic into lines of JSON. */
import { loadConfig } from '#libs/config'
import { topics } from '#libs/messages'
import { openLog } from '#libs/telemetry'
import { eventRow } from './event-columns.ts'
import { findKafka } from './find-servers.ts'

const REMEDY = 'KAFKA_BROKERS, or postrider.kafka.brokers of the configuration, says where it is'

export interface Period {
  /** By the time at which Kafka got the event; both in epoch ms. */
  readonly sinceMs: number
  readonly untilMs: number
}

export interface Exported {
  readonly events: number
  /** Records that are no delivery-status events. */
  readonly skipped: number
}

export type WriteText = (text: string) => Promise<unknown>

/**
 * Writes each event of the period as a line, duplicates included; those of a partition in order. Ends where the topic ended at the
 * beginning. Kafka: KAFKA_BROKERS or the configuration, else the one that runs in this home.
 * @throws what Kafka or `write` answers
 */
export async function exportEvents({ sinceMs, untilMs }: Period, write: WriteText): Promise<Exported> {
  const { readTopic } = await import('#libs/bus')
  const { env } = process
  const { brokers, topic_prefix: prefix } = await findKafka(loadConfig({ env }), env.POSTRIDER_HOME || '.postrider')
  const count = { events: 0, skipped: 0 }
  let written: Promise<unknown> = Promise.resolve()
  const reading = readTopic({
    brokers,
    clientId: 'postrider-events',
    topic: topics(prefix).status,
    groupPrefix: `${prefix}postrider-events-`,
    sinceMs,
    log: openLog({ service: 'postrider', instance: 'events', level: 'silent' }),
    onRecords: async (partition, records) => {
      const rows = records
        .filter(({ timestampMs }) => timestampMs < untilMs)
        .map((record) => eventRow(record, partition))
      const lines = rows.flatMap((row) => (row === undefined ? [] : `${JSON.stringify(row)}\n`))
      count.events += lines.length
      count.skipped += rows.length - lines.length
      // One after the other: partitions come side by side.
      written = written.then(() => write(lines.join('')))
      await written
    },
  })
  await reading.catch((error: unknown) => {
    throw isOfKafka(error) ? new Error(`Kafka at ${brokers.join(', ')}: ${error.message}; ${REMEDY}`) : error
  })
  return count
}

function isOfKafka(error: unknown): error is Error {
  return error instanceof Error && error.name.startsWith('KafkaJS')
}
