/** Projector: message and status topics into the read model. Composition root. */
import { openProducer } from '#libs/bus'
import { openDatabase } from '#libs/database'
import { runService } from '#libs/lifecycle'
import { topics } from '#libs/messages'
import { startTelemetry } from '#libs/telemetry'
import { loadProjectorConfig } from './config.ts'
import { runProjector } from './run-projector.ts'

await runService(async (stopping) => {
  const config = loadProjectorConfig(process.env)
  await using telemetry = await startTelemetry('projector', {
    env: process.env,
    instance: config.instance,
    metricsPort: config.metricsPort,
  })
  const { log } = telemetry
  await using database = openDatabase({
    url: config.databaseUrl,
    applicationName: 'postrider-projector',
    max: 4,
    onError: (error) => log.warn({ reason: error.message }, 'database connection lost'),
  })
  await using producer = await openProducer({ brokers: config.kafka.brokers, clientId: config.instance, log })

  let isAssigned = false
  telemetry.setReady(async () => {
    await database.query({ text: 'select from console.consumer_offset limit 1' })
    return { database: { ok: true }, kafka: { ok: isAssigned } }
  })
  log.info('projector started')
  await runProjector({
    config,
    telemetry,
    database,
    producer,
    topics: topics(config.kafka.topic_prefix),
    stopping,
    onAssigned: () => {
      isAssigned = true
    },
  })
  log.info('projector drained')
})
