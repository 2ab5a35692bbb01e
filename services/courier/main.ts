/** Courier: one attempt at a time per message, from the message topics to the mail server. Composition root. */
import { randomBytes } from 'node:crypto'
import { openProducer } from '#libs/bus'
import { openDatabase } from '#libs/database'
import { runService } from '#libs/lifecycle'
import { openSealer, topics } from '#libs/messages'
import { startTelemetry } from '#libs/telemetry'
import { openAdmittedChannel } from './admission/admitted-channel.ts'
import { openSmtpChannel } from './channels/smtp/smtp-pool.ts'
import { loadCourierConfig } from './config.ts'
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
  const smtp = openAdmittedChannel(
    openSmtpChannel({ ...config.smtp, maxConnections: config.maxConnections }),
    config.maxConnections,
  )

  telemetry.log.info(
    { owner, provider: config.smtp.target.host, security: config.smtp.target.security },
    'courier started',
  )
  await runCourier({
    config,
    owner,
    telemetry,
    database,
    session,
    producer,
    sealer: openSealer(config.secrets),
    topics: topics(config.kafka.topic_prefix),
    channels: new Map([
      [
        'email',
        {
          key: 'email',
          port: smtp,
          blockage: smtp.blockage,
          reserved: Math.floor(config.maxConnections / 4),
          provider: config.smtp.target.host,
        },
      ],
    ]),
    stopping,
  })
  telemetry.log.info('courier drained')
})
