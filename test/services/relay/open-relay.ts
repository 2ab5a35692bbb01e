/** A relay on a database of a test, with a Kafka that lives in memory. */
import type { TestContext } from 'node:test'
import { metrics, trace } from '@opentelemetry/api'
import pino from 'pino'
import type { OutRecord } from '#libs/bus'
import { type Database, openDatabase } from '#libs/database'
import { openSealer, topics } from '#libs/messages'
import { fromDatabaseTx, type NewMessage, openOutbox } from '#libs/outbox'
import type { Send } from '../../../services/relay/partition-lines.ts'
import { type RelayParts, runRelay } from '../../../services/relay/run-relay.ts'

export const sealer = openSealer(['the secret of the relay tests'])
export const outbox = openOutbox(sealer)
export const TOPICS = topics('')
export const PARTITIONS = 8

export interface Published {
  readonly topic: string
  readonly partition: number
  readonly record: OutRecord
}

export interface MemoryKafka {
  readonly send: Send
  /** In the order of acknowledgement. */
  readonly log: Published[]
}

/** @param meddle runs before a send is acknowledged; what it throws fails the send */
export function memoryKafka(
  meddle: (topic: string, partition: number, records: readonly OutRecord[]) => void | Promise<void> = () => undefined,
): MemoryKafka {
  const log: Published[] = []
  return {
    log,
    send: async (topic, partition, records) => {
      await meddle(topic, partition, records)
      for (const record of records) log.push({ topic, partition, record })
    },
  }
}

export interface RunningRelay {
  readonly owner: string
  /** What it logged as errors. */
  readonly alarms: string[]
  /** Asks it to stop; resolves when it is drained. */
  readonly stop: () => Promise<void>
  /** Stands still as a killed process does: its database is gone from one moment to the next. */
  readonly kill: () => Promise<void>
}

let relays = 0

/** Stopped after the test at the latest. */
export function startRelay(t: TestContext, url: string, send: Send, more: Partial<RelayParts> = {}): RunningRelay {
  const owner = `relay-${++relays}`
  const alarms: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => void alarms.push(JSON.parse(line).msg) })
  const stopping = new AbortController()
  const database = openDatabase({
    url,
    applicationName: owner,
    max: 5,
    settings: { enable_seqscan: 'off', jit: 'off' },
  })
  let alive = true
  const guarded: Database = {
    ...database,
    knex: undefined as never,
    query: (statement) => (alive ? database.query(statement) : Promise.reject(new Error('killed'))),
  }
  const running = runRelay({
    owner,
    instance: owner,
    partitions: PARTITIONS,
    topics: TOPICS,
    sealer,
    database: guarded,
    producer: { send: (...given) => (alive ? send(...given) : Promise.reject(new Error('killed'))) },
    telemetry: {
      log,
      meter: metrics.getMeter('test'),
      tracer: trace.getTracer('test'),
      tracing: false,
      setReady: () => undefined,
    },
    stopping: stopping.signal,
    ...more,
  })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopping.abort()
    stopped ??= running.then(() => database[Symbol.asyncDispose]())
    return stopped
  }
  t.after(stop)
  return {
    owner,
    alarms,
    stop,
    kill: () => {
      alive = false
      return stop()
    },
  }
}

export async function enqueue(database: Database, messages: readonly NewMessage[]): Promise<string[]> {
  return (await database.transaction((tx) => outbox.enqueue(fromDatabaseTx(tx), messages))).ids
}

export function mailTo(recipient: string, more: Partial<NewMessage> = {}): NewMessage {
  return { recipient, template_type: 'stub', template_data: { subject: 'Hello', body: 'It works.' }, ...more }
}

export async function rowsLeft(database: Database): Promise<number> {
  return (await database.query({ text: 'select from outbox.message' })).rowCount
}
