/** A Kratos database of a test, prepared for a relay, and passes of a relay over it with a Kafka that lives in memory. */
import type { TestContext } from 'node:test'
import { trace } from '@opentelemetry/api'
import pino from 'pino'
import { type Database, openDatabase } from '#libs/database'
import { decodeMessage } from '#libs/messages'
import { openKratosTracing } from '../../../../services/relay/kratos/kratos-tracing.ts'
import { checkKratosTables, prepareSource } from '../../../../services/relay/kratos/source-schema.ts'
import type { TakePorts } from '../../../../services/relay/kratos/take-rows.ts'
import { testDatabase } from '../../../support/servers.ts'
import { type MemoryKafka, PARTITIONS, type Published, sealer, TOPICS } from '../open-relay.ts'
import { type Kratos, openKratos } from './kratos-tables.ts'

export interface Source {
  readonly url: string
  readonly database: Database
  readonly kratos: Kratos
}

export async function openSource(t: TestContext): Promise<Source> {
  const { url } = await testDatabase(t, { empty: true })
  const database = openDatabase({ url, applicationName: 'test', max: 4 })
  t.after(() => database[Symbol.asyncDispose]())
  const kratos = await openKratos(database)
  await prepareSource(database)
  return { url, database, kratos }
}

/** What one relay takes rows with; on a pool of its own, closed after the test. */
export async function takePorts(
  t: TestContext,
  source: Source,
  { send }: Pick<MemoryKafka, 'send'>,
): Promise<TakePorts> {
  const database = openDatabase({ url: source.url, applicationName: 'taker', max: 3 })
  t.after(() => database[Symbol.asyncDispose]())
  return {
    database,
    columns: await checkKratosTables(database),
    tracing: openKratosTracing(trace.getTracer('test'), false),
    send,
    sealer,
    topics: TOPICS,
    partitions: PARTITIONS,
    worker: 'test',
    log: pino({ level: 'silent' }),
    onSent: () => undefined,
    onFailed: () => undefined,
    onSetAside: () => undefined,
  }
}

/** Message ids by Kratos' id, in the order of publication. */
export function publishedIds(log: readonly Published[]): Map<string, string[]> {
  const ids = new Map<string, string[]>()
  for (const { topic, record } of log) {
    if (topic === TOPICS.status) continue
    const { id, source_id = '' } = decodeMessage(record.value)
    ids.set(source_id, [...(ids.get(source_id) ?? []), id])
  }
  return ids
}
