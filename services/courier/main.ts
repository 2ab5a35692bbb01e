/** Courier: one attempt at a time per message, from the message topics to the mail server. Composition root. */
import { randomBytes } from 'node:crypto'
import { openProducer } from '#libs/bus'
import { openDatabase } from '#libs/database'
import { openEngine } from '#libs/engine'
import { messageOf } from '#libs/errors'
import { runService } from '#libs/lifecycle'
import { openSealer, topics } from '#libs/messages'
import { startTelemetry } from '#libs/telemetry'
import { limitOf, openSharedRate } from './admission/shared-rate.ts'
import { takeTokens } from './channel-repository.ts'
import { loadCourierConfig } from './config.ts'
import { openProjectChannels } from './project-channels.ts'
import { runCourier } from './run-courier.ts'

await runService(async (stopping) => {
  const config = loadCourierConfig(process.env)
  // Name and boot id: a restarted courier is another owner, so that what its forerunner held is taken over and not mistaken.
  const owner = `${config.instance}.${randomBytes(4).toString('hex')}`.slice(-63)
  await using telemetry = await startTelemetry('courier', {
    env: process.env,
    instance: config.instance,
    metricsPort: config.metricsPort,
  })
  await using database = openDatabase({ url: config.databaseUrl, applicationName: 'postrider-courier', max: 6 })
  await using session = openDatabase({ url: config.databaseUrl, applicationName: owner, max: 1 })
  await using producer = await openProducer({
    brokers: config.kafka.brokers,
    clientId: config.instance,
    log: telemetry.log,
  })
  await using engine = openEngine({ meter: telemetry.meter })
  const rateOf = (endpointKey: string, perSecond: number) => {
    const limit = limitOf(perSecond)
    return openSharedRate(limit, {
      take: (wanted) => takeTokens(database, endpointKey, limit, wanted),
      onError: (error) => telemetry.log.warn({ reason: messageOf(error) }, 'no tokens of the rate, nothing is sent'),
    })
  }
  const channels = openProjectChannels(config.delivery, { engine, rateOf }, telemetry.log)

  telemetry.log.info({ owner }, 'courier started')
  await runCourier({
    config,
    owner,
    telemetry,
    database,
    session,
    producer,
    channels,
    sealer: openSealer(config.secrets),
    topics: topics(config.kafka.topic_prefix),
    stopping,
  })
  telemetry.log.info('courier drained')
})
