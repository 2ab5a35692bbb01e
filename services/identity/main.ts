/** Identity: registration, login, verification, recovery and sessions; a mail is part of the transaction that asks for it. Composition root. */
import { openDatabase } from '#libs/database'
import { messageOf } from '#libs/errors'
import { buildHttpServer } from '#libs/http-server'
import { poll, runService } from '#libs/lifecycle'
import { openSealer } from '#libs/messages'
import { openOutbox } from '#libs/outbox'
import { REVISIONS_CHANNEL } from '#libs/projects'
import { startTelemetry } from '#libs/telemetry'
import { addAdminRedirect } from './admin-redirect.ts'
import { openAddressHash, openCodes } from './code.ts'
import { loadIdentityConfig } from './config.ts'
import { deleteExpired } from './flow-repository.ts'
import { followFlowSettings } from './flow-settings.ts'
import { addIdentityRoutes } from './routes.ts'
import { openThrottle } from './throttle.ts'

const CLEAN_EVERY_MS = 60_000
const CLEAN_BATCH = 1_000
/** So long an expired flow still answers that it is over. */
const KEEP_FLOWS_MS = 24 * 3_600_000
/** Revisions are looked for at each notification, and this often in case one was missed. */
const REVISIONS_MS = 5_000

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
  const sealer = openSealer(config.secrets)
  const outbox = openOutbox(sealer)
  const settings = followFlowSettings(config.settings, { database, sealer, log })
  const ports = {
    database,
    tracer,
    outbox,
    wakeRelay: () => {
      outbox.wake(database).catch((error: Error) => log.debug({ reason: error.message }, 'relay not woken'))
    },
    codes: openCodes(config.secrets),
    addressHash: openAddressHash(config.secrets),
    get settings() {
      return settings.current()
    },
  }
  telemetry.setReady(async () => {
    await database.query({ text: 'select from identity.flow limit 1' })
    return { database: { ok: true } }
  })

  const unread = (error: unknown) => log.warn({ reason: messageOf(error) }, 'settings of flows not read')
  await settings.follow().catch(unread)
  const news = database.listen(REVISIONS_CHANNEL, () => void settings.follow().catch(unread))
  // Without it there is still the poll.
  await using _news = await news.catch((error: unknown) => {
    unread(error)
    return undefined
  })

  const app = buildHttpServer({ telemetry, trustCallers: false })
  addIdentityRoutes(app, ports, openThrottle(config.clientLimit))
  addAdminRedirect(app, config.consoleUrl)
  await app.listen({ host: config.host, port: config.port })
  log.info({ host: config.host, port: config.port }, 'identity started')
  const clean = () => deleteExpired(database, CLEAN_BATCH, KEEP_FLOWS_MS)
  const follow = () => settings.follow().then(() => 0)
  await Promise.all([
    poll(clean, stopping, (error) => log.warn({ err: error }, 'expired rows not deleted'), CLEAN_EVERY_MS),
    poll(follow, stopping, unread, REVISIONS_MS),
  ])
  await app.close()
  log.info('identity drained')
})
