/** Sends one batch to one partition through a kafkajs producer that is replaced whenever it can no longer be trusted. */
import { type Message, Partitioners, type Producer } from 'kafkajs'
import { messageOf } from '#libs/errors'
import { type ClientOptions, type KafkaClient, openKafkaClient } from './kafka-client.ts'

export type SendOutcome =
  | { readonly kind: 'acked' }
  /** Kafka will never take these. `isOfRecord`: because of one of the records, or of their size together. */
  | { readonly kind: 'refused'; readonly isOfRecord: boolean; readonly error: unknown }
  /** Perhaps written, perhaps not. */
  | { readonly kind: 'failed'; readonly error: unknown }

export interface KafkaSender {
  /** Never rejects. Only one send per partition may be under way. @param timeoutMs then the outcome is `failed` */
  readonly send: (
    topic: string,
    partition: number,
    messages: readonly Message[],
    timeoutMs: number,
  ) => Promise<SendOutcome>
  readonly close: () => Promise<void>
}

interface Connected {
  readonly client: KafkaClient
  readonly producer: Producer
  readonly ready: Promise<void>
  /** What ends the sends under way. */
  readonly onLost: Set<(error: Error) => void>
}

const OF_RECORD = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'])
const OF_TOPIC = new Set(['TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION'])
/** How long a leader may wait for its replicas; below the client's request timeout. */
const REPLICATION_TIMEOUT_MS = 8_000
const METADATA_MAX_AGE_MS = 60_000
const DISCONNECT_MS = 2_000

/** @param deadlineMs the longest `timeoutMs`: kafkajs gives up its own retries soon after, so that a discarded producer ends */
export function openKafkaSender(options: ClientOptions, deadlineMs: number): KafkaSender {
  let current: Connected | undefined
  let isAway = false

  /**
   * After a failure the producer's sequence numbers are a guess: under the same ones Kafka would take new records for a repetition
   * and drop them. So it is never used again, and what it still holds must not be written late.
   */
  function discard(connected: Connected): void {
    if (current === connected) current = undefined
    end(connected)
    connected.producer
      .disconnect()
      .catch((error) => options.log?.debug({ reason: messageOf(error) }, 'producer discarded'))
  }

  function note(outcome: SendOutcome): SendOutcome {
    if (outcome.kind === 'failed' && !isAway) {
      isAway = true
      options.log?.warn({ reason: messageOf(outcome.error) }, 'Kafka does not acknowledge records, trying on')
    } else if (outcome.kind === 'acked' && isAway) {
      isAway = false
      options.log?.info('Kafka acknowledges records again')
    }
    return outcome
  }

  current = connect(options, deadlineMs)
  return {
    send: async (topic, partition, messages, timeoutMs) => {
      current ??= connect(options, deadlineMs)
      const used = current
      try {
        const isSent = await within(timeoutMs, sendOnce(used, topic, partition, messages), used.onLost)
        return note(isSent ? { kind: 'acked' } : { kind: 'failed', error: new Error('the partition has no leader') })
      } catch (error) {
        const type = typeOf(error)
        const isOfRecord = OF_RECORD.has(type)
        if (isOfRecord || OF_TOPIC.has(type)) return { kind: 'refused', isOfRecord, error }
        discard(used)
        return note({ kind: 'failed', error })
      }
    },
    close: async () => {
      if (current === undefined) return
      const connected = current
      current = undefined
      await within(DISCONNECT_MS, connected.producer.disconnect(), connected.onLost).catch((error) =>
        options.log?.debug({ reason: messageOf(error) }, 'producer not disconnected'),
      )
      end(connected)
    },
  }
}

function connect(options: ClientOptions, deadlineMs: number): Connected {
  const client = openKafkaClient(options)
  const producer = client.kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: 5 + Math.ceil(deadlineMs / 1_000) },
  })
  const ready = producer.connect()
  ready.catch(() => undefined) // told by the sends that wait for it
  return { client, producer, ready, onLost: new Set() }
}

function end({ client, onLost }: Connected): void {
  client.cut()
  for (const lose of onLost) lose(new Error('the connection was given up'))
}

/**
 * @returns false where nothing was sent: kafkajs resolves all the same when it knows no leader
 * @throws where the answer covers anything but this partition
 */
async function sendOnce(
  { producer, ready }: Connected,
  topic: string,
  partition: number,
  messages: readonly Message[],
): Promise<boolean> {
  await ready
  const answers = await producer.send({
    topic,
    messages: messages as Message[],
    acks: -1,
    timeout: REPLICATION_TIMEOUT_MS,
  })
  const [answer] = answers
  if (answer === undefined) return false
  const isCovered = answer.topicName === topic && answer.partition === partition && answer.errorCode === 0
  if (answers.length === 1 && isCovered) return true
  throw new Error(`the answer does not cover ${topic}/${partition}`)
}

async function within<T>(timeoutMs: number, task: Promise<T>, onLost: Set<(error: Error) => void>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  onLost.add(late.reject)
  try {
    return await Promise.race([task, late.promise])
  } finally {
    clearTimeout(timer)
    onLost.delete(late.reject)
  }
}

/** The protocol error's name; kafkajs wraps it once or twice. */
function typeOf(error: unknown): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ('type' in cause && typeof cause.type === 'string') return cause.type
  }
  return ''
}
