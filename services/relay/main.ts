/**
 * Relay: outbox rows to Kafka, at least once and in order per key; with `--source kratos` the rows of a real Kratos instead.
 * Composition root.
 */
import { randomBytes } from 'node:crypto'
import { openProducer } from '#libs/bus'
import { openDatabase } from '#libs/database'
import { runService } from '#libs/lifecycle'
import { openSealer, topics } from '#libs/messages'
import { startTelemetry } from '#libs/telemetry'
import { loadRelayConfig } from './config.ts'
import { isKratosSource } from './kratos/config.ts'
import { runRelay } from './run-relay.ts'

/** Statistics of a table that is full at one moment and empty at the next mislead: its one index is always the right way. */
const SETTINGS = {
  enable_seqscan: 'off',
  jit: 'off',
  statement_timeout: '5s',
  idle_in_transaction_session_timeout: '10s',
}
/** Shorter than a drain: what is under way when the relay stops is acknowledged or not before it exits. */
const SEND_DEADLINE_MS = 10_000

await runService(async (stopping) => {
  const args = process.argv.slice(2)
  if (!isKratosSource(args, process.env)) return relayOutbox(stopping)
  // Loaded only here: it brings the templates' models with it, which rows of an outbox do not need.
  const { relayKratos } = await import('./kratos/relay-kratos.ts')
  await relayKratos(args, process.env, stopping)
})

async function relayOutbox(stopping: AbortSignal): Promise<void> {
  const config = loadRelayConfig(process.env)
  // Name and boot id: a restarted relay is another owner, and never takes its forerunner's leases for its own.
  const owner = `${config.instance}.${randomBytes(4).toString('hex')}`
  await using telemetry = await startTelemetry('relay', {
    env: process.env,
    instance: config.instance,
    metricsPort: config.metricsPort,
  })
  const { log } = telemetry
  await using database = openDatabase({
    url: config.databaseUrl,
    applicationName: 'postrider-relay',
    max: 5,
    settings: SETTINGS,
    onError: (error) => log.warn({ reason: error.message }, 'database connection lost'),
  })
  await using producer = await openProducer({
    brokers: config.kafka.brokers,
    clientId: config.instance,
    log,
    deadlineMs: SEND_DEADLINE_MS,
  })

  log.info({ owner }, 'relay started')
  await runRelay({
    owner,
    instance: config.instance,
    partitions: config.kafka.partitions,
    topics: topics(config.kafka.topic_prefix),
    sealer: openSealer(config.secrets),
    database,
    producer,
    telemetry,
    stopping,
  })
  log.info('relay drained')
}
