/** Identity: registration, login and sessions; the mail with a code is part of the transaction that asks for it. Composition root. */
import { openDatabase } from '#libs/database'
import { buildHttpServer } from '#libs/http-server'
import { poll, runService } from '#libs/lifecycle'
import { openSealer } from '#libs/messages'
import { openOutbox } from '#libs/outbox'
import { startTelemetry } from '#libs/telemetry'
import { openAddressHash, openCodes } from './code.ts'
import { loadIdentityConfig } from './config.ts'
import { deleteExpired } from './identity-repository.ts'
import { addIdentityRoutes } from './routes.ts'
import { openThrottle } from './throttle.ts'

const CLEAN_EVERY_MS = 60_000
const CLEAN_BATCH = 1_000
/** So long an expired flow still answers that it is over. */
const KEEP_FLOWS_MS = 24 * 3_600_000

await runService(async (stopping) => {
  const config = loadIdentityConfig(process.env)
  await using telemetry = await startTelemetry('identity', {
    env: process.env,
    instance: config.instance,
    metricsPort: config.metricsPort,
  })
  const { log, tracer } = telemetry
  await using database = openDatabase({
    url: config.databaseUrl,
    applicationName: 'postrider-identity',
    max: 20,
    onError: (error) => log.warn({ reason: error.message }, 'database connection lost'),
  })
  const outbox = openOutbox(openSealer(config.secrets))
  const ports = {
    database,
    tracer,
    outbox,
    wakeRelay: () => {
      outbox.wake(database).catch((error: Error) => log.debug({ reason: error.message }, 'relay not woken'))
    },
    codes: openCodes(config.secrets),
    addressHash: openAddressHash(config.secrets),
    settings: config.settings,
  }
  telemetry.setReady(async () => {
    await database.query({ text: 'select from identity.flow limit 1' })
    return { database: { ok: true } }
  })

  const app = buildHttpServer({ telemetry, trustCallers: false })
  addIdentityRoutes(app, ports, openThrottle(config.clientLimit))
  await app.listen({ host: config.host, port: config.port })
  log.info({ host: config.host, port: config.port }, 'identity started')
  await poll(
    () => deleteExpired(database, CLEAN_BATCH, KEEP_FLOWS_MS),
    stopping,
    (error) => log.warn({ err: error }, 'expired rows not deleted'),
    CLEAN_EVERY_MS,
  )
  await app.close()
  log.info('identity drained')
})
