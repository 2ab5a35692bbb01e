import type { Producer } from '#libs/bus'
import type { Topics } from '#libs/messages'
import { type Logger, traceFields } from '#libs/telemetry'
import type { Entry } from './partition-queues.ts'

export interface DeadLetterParts {
  readonly config: { readonly kafka: { readonly partitions: number } }
  readonly producer: Producer
  readonly topics: Topics
  readonly telemetry: { readonly log: Logger }
}

/**
 * Puts the original bytes of a record beside its origin and the reason into the dead-letter topic.
 * At least once: a crash before the offset moves writes it again.
 */
export function openDeadLetter(
  { config, producer, topics, telemetry }: DeadLetterParts,
  onSkipped: () => void,
): (entry: Entry, reason: string) => Promise<void> {
  return async ({ queue, record }, reason) => {
    const { topic, partition } = queue
    await producer.send(topics.deadLetter, partition % config.kafka.partitions, [
      {
        key: record.key?.toString('latin1') ?? '',
        value: record.value ?? '',
        headers: {
          ...textHeaders(record.headers),
          'x-source-topic': topic,
          'x-source-partition': String(partition),
          'x-source-offset': String(record.offset),
          'x-reason': reason,
          'x-reader': 'projector',
        },
      },
    ])
    const fields = { topic, partition, offset: record.offset, ...traceFields(record.headers.traceparent?.toString()) }
    telemetry.log.error({ ...fields, reason }, 'record set aside')
    onSkipped()
  }
}

function textHeaders(headers: Readonly<Record<string, Buffer>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString()]))
}
