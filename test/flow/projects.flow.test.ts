/** Projects under two couriers: each sends its own way, a change holds from the next attempt on, and nobody else notices. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Database, openDatabase } from '#libs/database'
import { decodeStatus, topics } from '#libs/messages'
import { type HttpSink, openHttpSink } from '../support/http-sink.ts'
import { openProjects, type Projects } from '../support/projects.ts'
import { readTopic } from '../support/read-topic.ts'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'

const SECRET = 'a secret of the test of projects'
const OPERATOR = 'mail@operator.example'
const BATCH = 20
const LIMIT = { timeout: 90_000 }

const smtpAt = (port: number, from_address: string, more: object = {}) => ({
  courier: { smtp: { connection_uri: `smtp://127.0.0.1:${port}/?disable_starttls=true`, from_address }, ...more },
})

describe('projects', () => {
  let system: System
  let database: Database
  let projects: Projects
  let operator: SmtpSink
  let own: SmtpSink
  let provider: HttpSink
  let a: string
  const enqueued: string[] = []
  before(async () => {
    const port = await freePort()
    operator = await openSmtpSink({ port })
    own = await openSmtpSink()
    provider = await openHttpSink()
    system = await openSystem({
      scale: 'courier=2',
      env: {
        COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${port}/?disable_starttls=true`,
        COURIER_SMTP_FROM_ADDRESS: OPERATOR,
        SECRETS_CIPHER: JSON.stringify([SECRET]),
      },
    })
    database = openDatabase({ url: system.databaseUrl, applicationName: 'test' })
    projects = openProjects(database, SECRET)
    await configure('b', { courier: { smtp: { from_address: 'me@b.example' } } })
    await projects.rename('b', 'B Bank')
    a = await configure('a', smtpAt(own.port, 'me@a.example', { message_retries: 2 }))
    // A name has no number that couriers could tell of.
    await waitFor(async () => {
      await enqueue(1, 'b')
      return operator.mails.some(({ raw }) => raw.includes('B Bank via Postrider'))
    })
  })
  after(async () => {
    await database?.[Symbol.asyncDispose]()
    await system?.[Symbol.asyncDispose]()
    for (const sink of [operator, own, provider]) await sink?.[Symbol.asyncDispose]()
  })

  async function enqueue(count: number, project?: string): Promise<string[]> {
    const messages = Array.from({ length: count }, (_, index) => ({
      recipient: `user-${enqueued.length + index}@example.org`,
      template_type: 'login_code_valid',
      template_data: { login_code: '123456' },
      ...(project !== undefined && { project }),
    }))
    const { status, body } = await system.request('POST', `${system.console}/admin/courier/messages`, messages)
    assert.equal(status, 202)
    const ids = body.map(({ id }: { id: string }) => id)
    enqueued.push(...ids)
    return ids
  }
  /** Until every courier has said `words` of this revision. */
  const said = (id: string, revision: number, words: string) =>
    waitFor(
      async () => {
        const logs = [1, 2].map((number) => readFile(join(system.home, 'logs', `courier-${number}.log`), 'utf8'))
        const found = (await Promise.all(logs)).map((log) =>
          log.split('\n').some((line) => {
            const isMeant = line.includes(`"project_id":"${id}"`) && line.includes(`"revision":${revision},`)
            return isMeant && line.includes(words)
          }),
        )
        return !found.includes(false)
      },
      { message: `not every courier said that the settings are ${words}` },
    )
  async function configure(slug: string, settings: unknown, words = 'taken over'): Promise<string> {
    const { id, number } = await projects.configure(slug, settings)
    await said(id, number, words)
    return id
  }
  const idsAt = (sink: SmtpSink): string[] => sink.messageIds().map((id) => id.slice(1, id.indexOf('@')))
  const idsAtProvider = (): string[] => provider.requests.map(({ headers }) => String(headers['idempotency-key']))
  const arrived = (ids: readonly string[], at: () => string[]) =>
    waitFor(() => ids.every((id) => at().includes(id)), { timeoutMs: 30_000, message: 'mails are missing' })
  const fromOf = (sink: SmtpSink, id: string) =>
    /^From: (.*)\r$/m.exec(sink.mails.find(({ messageId }) => messageId.includes(id))!.raw)?.[1]

  it('send through their own target, or in their name through the operator’s', LIMIT, async () => {
    const [ownMail] = await enqueue(1, 'a')
    const [named] = await enqueue(1, 'b')
    const [operators] = await enqueue(1)
    await arrived([ownMail!], () => idsAt(own))
    await arrived([named!, operators!], () => idsAt(operator))
    assert.equal(fromOf(own, ownMail!), 'me@a.example')
    assert.equal(fromOf(operator, named!), `"B Bank via Postrider" <${OPERATOR}>`)
    assert.equal(fromOf(operator, operators!), OPERATOR)
  })

  it('say how often their own mail is tried', LIMIT, async () => {
    const maxAttempts = await waitFor(async () => {
      const events = await readTopic(system.brokers, topics(system.topicPrefix).status)
      const told = events.map(({ value, headers }) => decodeStatus(value, headers).data)
      const of = (mine: boolean) => told.find(({ project_id }) => (project_id === a) === mine)?.max_attempts
      return of(true) !== undefined && of(false) !== undefined && [of(true), of(false)]
    })
    assert.deepEqual(maxAttempts, [3, 6])
  })

  it(
    'change their target while mail flows, from the next attempt on, and nothing is lost or doubled',
    LIMIT,
    async (t) => {
      const sent: string[] = []
      const changed = Promise.withResolvers<void>()
      let isChanged = false
      changed.promise.then(() => {
        isChanged = true
      })
      sent.push(...(await enqueue(BATCH, 'a')))
      await waitFor(() => idsAt(own).includes(sent[0]!))
      const request = { url: provider.origin }
      const change = configure('a', { courier: { delivery_strategy: 'http', http: { request_config: request } } })
      change.then(() => changed.resolve(), changed.reject)
      while (!isChanged) sent.push(...(await enqueue(BATCH, 'a')))
      await change
      const later = await enqueue(2 * BATCH, 'a')
      await arrived([...sent, ...later], () => [...idsAt(own), ...idsAtProvider()])
      const bySmtp = sent.filter((id) => idsAt(own).includes(id)).length
      t.diagnostic(`${bySmtp} of ${sent.length} mails by SMTP, the others by HTTP`)
      assert.ok(
        later.every((id) => !idsAt(own).includes(id)),
        'a later mail took the old target',
      )
      for (const id of [...sent, ...later]) await system.messageIn(id, 'sent')
      const all = [...idsAt(own), ...idsAtProvider(), ...idsAt(operator)]
      assert.equal(all.length, new Set(all).size, 'a mail came twice')
      await waitFor(() => own.openConnections() === 0, { message: 'connections of the old target stay open' })
    },
  )

  it('go on where a revision is broken, theirs or another one’s', LIMIT, async () => {
    await configure('a', { courier: { smtp: { connection_uri: 'gopher://hunter2@example.org' } } }, 'refused')
    await configure('a', { courier: { smtp: { connection_uri: 'smtps://example.org/path' } } }, 'left out')
    await arrived(await enqueue(BATCH, 'a'), idsAtProvider)
    await arrived(await enqueue(BATCH, 'b'), () => idsAt(operator))
    for (const number of [1, 2])
      assert.doesNotMatch(await readFile(join(system.home, 'logs', `courier-${number}.log`), 'utf8'), /hunter2/)
  })

  it('follow the operator, where they have no target of their own', LIMIT, async () => {
    await using next = await openSmtpSink()
    await configure('default', smtpAt(next.port, 'new@operator.example'))
    const before = operator.accepted()
    const [named] = await enqueue(1, 'b')
    const [operators] = await enqueue(1)
    const [others] = await enqueue(1, 'a')
    await arrived([named!, operators!], () => idsAt(next))
    await arrived([others!], idsAtProvider)
    assert.equal(fromOf(next, named!), '"B Bank via Postrider" <new@operator.example>')
    assert.equal(fromOf(next, operators!), 'new@operator.example')
    assert.equal(operator.accepted(), before)
  })

  it('have lost no mail and doubled none in all this', LIMIT, async () => {
    const states = async () => {
      const { rows } = await database.query<{ state: string; count: number }>({
        text: `select state, count(*) from console.message where id = any($1::uuid[]) group by state`,
        values: [enqueued],
      })
      return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
    }
    await waitFor(async () => (await states()).sent === enqueued.length)
    assert.deepEqual(await states(), { sent: enqueued.length })
  })
})
