import type { InRecord, Producer } from '#libs/bus'

export interface DeadLetterOptions {
  readonly producer: Pick<Producer, 'send'>
  readonly topic: string
  readonly partitions: number
}

/** Where a record came from that cannot be processed. */
export interface Source {
  readonly topic: string
  readonly partition: number
}

export type DeadLetter = (record: InRecord, source: Source, reason: string) => Promise<void>

/**
 * Puts the original bytes of a record beside its origin and the reason into the dead-letter topic; resolves when they are durable.
 * At least once: a crash before the offset moves writes it again.
 */
export function openDeadLetter({ producer, topic, partitions }: DeadLetterOptions): DeadLetter {
  return (record, source, reason) =>
    producer.send(topic, source.partition % partitions, [
      {
        key: record.key?.toString('latin1') ?? '',
        value: record.value ?? '',
        headers: {
          ...textHeaders(record.headers),
          'x-source-topic': source.topic,
          'x-source-partition': String(source.partition),
          'x-source-offset': String(record.offset),
          'x-reason': reason,
          'x-reader': 'courier',
        },
      },
    ])
}

function textHeaders(headers: InRecord['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString()]))
}
