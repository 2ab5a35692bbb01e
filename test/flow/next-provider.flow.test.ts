/** Two providers: what the first one certainly does not take leaves through the next at once; what it may have taken does not. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Database, openDatabase } from '#libs/database'
import { openProjects } from '../support/projects.ts'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'

const SECRET = 'a secret of the test of two providers'
/** What arrives sooner did not wait for it. */
const SCHEDULE = '10m'
/** Hosts by which the two are told apart: both are this machine. */
const [FIRST, NEXT] = ['127.0.0.1', 'localhost']

const uriOf = (host: string, port: number) => `smtp://${host}:${port}/?disable_starttls=true`

describe('a message with two providers', () => {
  let system: System
  let database: Database
  let first: SmtpSink
  let next: SmtpSink
  let own: SmtpSink
  const answers: Record<string, string> = {}
  before(async () => {
    first = await openSmtpSink({ answer: (command) => answers[command] })
    next = await openSmtpSink()
    own = await openSmtpSink()
    system = await openSystem({
      env: {
        COURIER_SMTP_CONNECTION_URI: uriOf(FIRST, first.port),
        POSTRIDER_COURIER_FALLBACK_SMTP_CONNECTION_URI: uriOf(NEXT, next.port),
        POSTRIDER_COURIER_RETRY_SCHEDULE: SCHEDULE,
        SECRETS_CIPHER: JSON.stringify([SECRET]),
      },
    })
    database = openDatabase({ url: system.databaseUrl, applicationName: 'test' })
  })
  after(async () => {
    await database?.[Symbol.asyncDispose]()
    await system?.[Symbol.asyncDispose]()
    for (const sink of [first, next, own]) await sink?.[Symbol.asyncDispose]()
  })

  async function enqueue(recipients: readonly string[], more: Record<string, unknown> = {}): Promise<string[]> {
    const messages = recipients.map((recipient) => ({
      recipient,
      template_type: 'login_code_valid',
      template_data: { login_code: '123456' },
      ...more,
    }))
    const { status, body } = await system.request('POST', `${system.console}/admin/courier/messages`, messages)
    assert.equal(status, 202)
    return body.map(({ id }: { id: string }) => id)
  }
  const numbered = (name: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${name}-${index}@example.org`)
  /** In order. */
  const triesOf = ({ dispatches }: { dispatches: { provider: string; status: string; class: string | null }[] }) =>
    dispatches.map(({ provider, status, class: failureClass }) => [provider, status, failureClass]).reverse()

  it('leaves through the first one, as long as that takes it', { timeout: 60_000 }, async () => {
    const [id] = await enqueue(['fine@example.org'])
    assert.deepEqual(triesOf(await system.messageIn(id!, 'sent')), [[FIRST, 'success', null]])
    assert.equal(next.connections(), 0)
  })

  it('leaves through the next one at once when the first refuses it for now', { timeout: 60_000 }, async (t) => {
    answers.RCPT = '451 4.3.0 Local trouble'
    const startedAt = Date.now()
    const [id] = await enqueue(['refused@example.org'])
    await waitFor(() => next.accepted() === 1, { timeoutMs: 20_000, message: 'no mail came through the next' })
    t.diagnostic(`arrived through the next provider after ${Date.now() - startedAt} ms`)
    assert.deepEqual(triesOf(await system.messageIn(id!, 'sent')), [
      [FIRST, 'failed', 'transient_remote'],
      [NEXT, 'success', null],
    ])
    delete answers.RCPT
  })

  it('waits for the schedule when the first may have taken it, and does not go to the next', {
    timeout: 60_000,
  }, async () => {
    answers.DOT = 'CLOSE'
    const before = next.lines.length
    const [id] = await enqueue(['unknown@example.org'])
    const message = await system.messageIn(id!, 'deferred')
    assert.deepEqual(triesOf(message), [[FIRST, 'failed', 'ambiguous']])
    assert.ok(Date.parse(message.next_attempt_at) - Date.parse(message.dispatches[0].created_at) >= 600_000)
    assert.equal(next.lines.length, before)
    delete answers.DOT
  })

  it('leaves through the next one while the first is down, notices too', { timeout: 60_000 }, async () => {
    await first[Symbol.asyncDispose]()
    const before = next.accepted()
    const [id] = await enqueue(['down@example.org'])
    assert.deepEqual(triesOf(await system.messageIn(id!, 'sent')), [
      [FIRST, 'failed', 'network'],
      [NEXT, 'success', null],
    ])
    assert.equal(next.accepted(), before + 1)

    // Enough failures to show that it is not the messages' fault.
    await enqueue(numbered('urgent', 20))
    await waitFor(() => next.accepted() === before + 21, { timeoutMs: 20_000 })
    await enqueue(numbered('notice', 10), { template_type: 'stub', template_data: { subject: 'News', body: 'None' } })
    // Now and then one goes to the first, to see whether it works again.
    await waitFor(() => next.accepted() >= before + 29, { timeoutMs: 20_000, message: 'notices wait for the first' })
  })

  it('has a next one of its own where its project does, and never the operator’s', { timeout: 60_000 }, async () => {
    await openProjects(database, SECRET).configure('own', {
      courier: { smtp: { connection_uri: uriOf(FIRST, await freePort()) } },
      postrider: { courier: { fallback: { smtp: { connection_uri: uriOf(NEXT, own.port) } } } },
    })
    const log = join(system.home, 'logs', 'courier-1.log')
    await waitFor(async () => (await readFile(log, 'utf8')).includes('settings of a project taken over'))
    const [id] = await enqueue(['own@example.org'], { project: 'own' })
    assert.deepEqual(triesOf(await system.messageIn(id!, 'sent')), [
      [FIRST, 'failed', 'network'],
      [NEXT, 'success', null],
    ])
    assert.equal(own.accepted(), 1)
    assert.ok(!next.messageIds().some((messageId) => messageId.includes(id!)))
  })
})
