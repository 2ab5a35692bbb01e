/** Console: admin API and Email Delivery page over the read model; accepts messages into the outbox. Works without Kafka. Composition root. */
import { once } from 'node:events'
import { openDatabase } from '#libs/database'
import { buildHttpServer } from '#libs/http-server'
import { runService } from '#libs/lifecycle'
import { openSealer } from '#libs/messages'
import { openOutbox } from '#libs/outbox'
import { startTelemetry } from '#libs/telemetry'
import { loadConsoleConfig } from './config.ts'
import { addAccessControl } from './keys/add-access-control.ts'
import { announceFirstKey } from './keys/announce-first-key.ts'
import { lifetimeOf } from './lifetime.ts'
import { loadPageFiles } from './page-files.ts'
import { openPageTokens } from './page-tokens.ts'
import { pipelineHealth } from './pipeline-health.ts'
import { followConfigFile } from './projects/follow-config-file.ts'
import { takeOverFile } from './projects/take-over-file.ts'
import { addConsoleRoutes } from './routes.ts'

/** A list of 1,000 messages of some 16 KB each; a single one is limited by the record. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024

await runService(async (stopping) => {
  const config = loadConsoleConfig(process.env)
  await using telemetry = await startTelemetry('console', { env: process.env, instance: config.instance })
  const { log, tracer } = telemetry
  await using database = openDatabase({
    url: config.databaseUrl,
    applicationName: 'postrider-console',
    max: 10,
    onError: (error) => log.warn({ reason: error.message }, 'database connection lost'),
  })
  await using figures = openDatabase({
    url: config.databaseUrl,
    applicationName: 'postrider-console-figures',
    max: 4,
    onError: (error) => log.warn({ reason: error.message }, 'database connection lost'),
  })
  const sealer = openSealer(config.secrets)
  const outbox = openOutbox(sealer)

  const app = buildHttpServer({ telemetry, trustCallers: true, bodyLimitBytes: BODY_LIMIT_BYTES })
  addAccessControl(app, { ...config, database, log })
  addConsoleRoutes(app, {
    database,
    figures,
    outbox,
    sealer,
    tracer,
    dev: config.dev,
    topicPrefix: config.topicPrefix,
    cancelFacts: { worker: config.instance, maxAttempts: config.maxAttempts },
    pageTokens: openPageTokens(openSealer(config.pageSecrets)),
    lifetimeMs: (message) => lifetimeOf(message, config.lifespans),
    wakeRelay: () => {
      outbox.wake(database).catch((error: Error) => log.debug({ reason: error.message }, 'relay not woken'))
    },
    health: () => pipelineHealth(database, config.peers),
    insights: config.insights,
    pageFiles: await loadPageFiles(),
  })
  if (config.ignored.length > 0)
    log.info({ keys: config.ignored }, 'keys of the configuration ignored: not for Postrider')
  const following = await followConfigFile(
    { ...config.operator, log, takeOver: (document) => takeOverFile(document, { database, sealer }) },
    stopping,
  )
  await app.listen({ host: config.host, port: config.port })
  log.info({ host: config.host, port: config.port }, 'console started')
  await announceFirstKey(database, config, log)
  if (!stopping.aborted) await once(stopping, 'abort')
  await app.close()
  await following.ended
  log.info('console drained')
})
