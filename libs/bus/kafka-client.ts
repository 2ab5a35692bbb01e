import { connect, type Socket } from 'node:net'
import { type ISocketFactory, Kafka, type LogEntry, logLevel } from 'kafkajs'
import { messageOf } from '#libs/errors'
import type { Logger } from '#libs/telemetry'

export interface KafkaClient {
  readonly kafka: Kafka
  /**
   * Breaks every connection and opens none any more. kafkajs goes on with its retries after a disconnect, connects again and
   * sends what it still holds; after this it cannot.
   */
  readonly cut: () => void
}

export interface ClientOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly log?: Logger | undefined
}

const CONNECT_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 60_000
/** Some 2.5 s altogether; whoever needs more patience has a loop of its own. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 }
/** What may be said of a log entry; never a payload. */
const FIELDS = ['broker', 'groupId', 'memberId', 'topic', 'partition', 'retryCount', 'retryTime'] as const

/** Connects to nothing yet. */
export function openKafkaClient({ brokers, clientId, log }: ClientOptions): KafkaClient {
  const sockets = new Set<Socket>()
  let isCut = false

  const socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
    if (isCut) throw new Error('the client was discarded')
    // Without noDelay a small request waits for the acknowledgement of the one before it.
    const socket = connect(
      { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      onConnect,
    )
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    return socket
  }

  return {
    kafka: new Kafka({
      brokers: [...brokers],
      clientId,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry: RETRY,
      socketFactory,
      logLevel: logLevel.INFO,
      logCreator: () => (entry) => log !== undefined && writeLog(log, entry),
    }),
    cut: () => {
      isCut = true
      for (const socket of sockets) socket.destroy(new Error('the client was discarded'))
    },
  }
}

/**
 * kafkajs calls errors what is usual: a coordinator that is loading, a group that rebalances, each retry of an outage. What matters is
 * logged by those who know it; the rest is for debugging. Data loss by retention is the exception.
 */
function writeLog(log: Logger, { namespace, log: entry }: LogEntry): void {
  const isLoss = entry.message.startsWith('Offset out of range')
  if (!isLoss && !log.isLevelEnabled('debug')) return
  const fields: Record<string, unknown> = { namespace }
  for (const name of FIELDS) if (entry[name] !== undefined) fields[name] = entry[name]
  if (entry.error !== undefined) fields.reason = messageOf(entry.error)
  if (isLoss) log.error(fields, entry.message)
  else log.debug(fields, entry.message)
}
