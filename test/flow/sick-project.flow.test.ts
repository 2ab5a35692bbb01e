/** Projects with servers of their own: one hangs, one refuses its password. Their mail waits; everybody else's goes as if nothing were. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Database, openDatabase } from '#libs/database'
import { openProjects, type Projects } from '../support/projects.ts'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'

const SECRET = 'a secret of the test of sick projects'
const SICK = 400
const HEALTHY = 200

const serverAt = (authority: string) => ({
  courier: { smtp: { connection_uri: `smtp://${authority}/?disable_starttls=true` } },
})

describe('a project whose server is sick', () => {
  let system: System
  let database: Database
  let projects: Projects
  let healthy: SmtpSink
  let hanging: SmtpSink
  let refusing: SmtpSink
  let refusesId: string
  before(async () => {
    const port = await freePort()
    healthy = await openSmtpSink({ port })
    hanging = await openSmtpSink({ greeting: null })
    refusing = await openSmtpSink({ auth: { user: 'right', password: 'right', mechanisms: ['PLAIN'] } })
    system = await openSystem({
      env: {
        COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${port}/?disable_starttls=true`,
        SECRETS_CIPHER: JSON.stringify([SECRET]),
      },
    })
    database = openDatabase({ url: system.databaseUrl, applicationName: 'test' })
    projects = openProjects(database, SECRET)
    await projects.configure('hangs', serverAt(`127.0.0.1:${hanging.port}`))
    refusesId = (await projects.configure('refuses', serverAt(`wrong:wrong@127.0.0.1:${refusing.port}`))).id
  })
  after(async () => {
    await database?.[Symbol.asyncDispose]()
    await system?.[Symbol.asyncDispose]()
    for (const sink of [healthy, hanging, refusing]) await sink?.[Symbol.asyncDispose]()
  })

  const enqueue = async (count: number, project: string): Promise<string[]> => {
    const messages = Array.from({ length: count }, (_, index) => ({
      recipient: `${project}-${index}@example.org`,
      template_type: 'login_code_valid',
      template_data: { login_code: '123456' },
      project,
    }))
    const { status, body } = await system.request('POST', `${system.console}/admin/courier/messages`, messages)
    assert.equal(status, 202)
    return body.map(({ id }: { id: string }) => id)
  }
  const statesOf = async (ids: readonly string[]) => {
    const { rows } = await database.query<{ state: string; count: number }>({
      text: 'select state, count(*) from console.message where id = any($1::uuid[]) group by state',
      values: [ids],
    })
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
  }

  let sick: string[]

  it('delays nobody else', { timeout: 60_000 }, async (t) => {
    sick = [...(await enqueue(SICK, 'hangs')), ...(await enqueue(SICK, 'refuses'))]
    // Waits for the moment when both stand in the way as far as they can.
    await waitFor(() => hanging.connections() >= 20 && refusing.connections() >= 1, { timeoutMs: 20_000 })
    const startedAt = Date.now()
    const ids = await enqueue(HEALTHY, 'default')
    await waitFor(() => healthy.accepted() === HEALTHY, { timeoutMs: 15_000, message: 'healthy mails wait' })
    t.diagnostic(`${HEALTHY} healthy mails within ${Date.now() - startedAt} ms, ${2 * SICK} sick ones waiting`)
    await waitFor(async () => (await statesOf(ids)).sent === HEALTHY, { timeoutMs: 15_000 })
    assert.equal((await statesOf(sick)).sent, undefined)
  })

  it('asks a server that refuses its password again only now and then, and charges no attempt', async () => {
    assert.ok(refusing.connections() < 40, `${refusing.connections()} connections`)
    const { rows } = await database.query<{ charged: number }>({
      text: `select max(charged) as charged from console.message where project_id = $1`,
      values: [refusesId],
    })
    assert.equal(rows[0]?.charged, 0)
  })

  it('sends what waited once its settings are right, without a restart', { timeout: 120_000 }, async () => {
    await projects.configure('hangs', serverAt(`127.0.0.1:${healthy.port}`))
    await projects.configure('refuses', serverAt(`right:right@127.0.0.1:${refusing.port}`))
    await waitFor(
      async () => {
        const states = await statesOf(sick)
        if (states.sent !== sick.length) throw new Error(JSON.stringify(states))
        return true
      },
      { timeoutMs: 90_000, message: 'mails of the mended projects are missing' },
    )
    assert.equal(refusing.accepted(), SICK)
    assert.equal(healthy.accepted(), HEALTHY + SICK)
  })
})
