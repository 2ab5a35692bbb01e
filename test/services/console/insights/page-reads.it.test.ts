import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createMailboxApi } from '../../../../deploy/local/mailbox-api.ts'
import { createMailboxStore } from '../../../../deploy/local/mailbox-store.ts'
import { openProjects } from '../../../support/projects.ts'
import { freePort } from '../../../support/servers.ts'
import { makeKey } from '../keys/make-keys.ts'
import { project } from '../messages.ts'
import { openConsole, type TestConsole } from '../open-console.ts'

const PREVIEW = '/projects/default/templates/preview'

describe('GET /admin/courier/messages/{id}/trace', () => {
  it('tells the way of a message and links to the trace backend', async () => {
    await using console = await openConsole({ insights: { traceUrl: 'http://traces.test/{trace_id}' } })
    const id = await project(console, { created_at: new Date(Date.now() - 1_000) })
    await console.database.query({
      text: `insert into console.dispatch (message_id, dispatch, state, id, attempt, duration_ms, durations, created_at)
             select id, 1, 'sent', gen_random_uuid(), 1, 30, '{"queue":1,"connect":10,"send":20}', updated_at
             from console.message where id = $1`,
      values: [id],
    })
    const { status, body } = await console.request('GET', `/admin/courier/messages/${id}/trace`)
    assert.equal(status, 200)
    assert.equal(body.url, `http://traces.test/${body.trace_id}`)
    assert.match(body.trace_id, /^[0-9a-f]{32}$/)
    const names = body.spans.map(({ name }: { name: string }) => name)
    for (const name of ['stub', 'outbox and topic', 'attempt 1', 'queue', 'connect', 'send', 'project the status'])
      assert.ok(names.includes(name), name)
    assert.equal((await console.request('GET', `/courier/messages/${id}/trace`)).status, 200)
  })

  it('has no link without a backend', async () => {
    await using console = await openConsole()
    const id = await project(console)
    assert.equal((await console.request('GET', `/admin/courier/messages/${id}/trace`)).body.url, null)
  })
})

describe('templates over HTTP', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole()
  })
  after(() => console[Symbol.asyncDispose]())

  it('lists the types with channels, fields and sample data', async () => {
    const { body } = await console.request('GET', '/admin/courier/templates')
    assert.equal(body.length, 13)
    const login = body.find((each: { template_type: string }) => each.template_type === 'login_code_valid')
    assert.deepEqual(Object.keys(login.channels), ['email', 'sms'])
    const code = login.channels.email.fields.find((field: { name: string }) => field.name === 'login_code')
    assert.deepEqual(code, { name: 'login_code', type: 'text', required: true })
    assert.equal(login.channels.email.source, 'built_in')
    assert.ok(login.channels.email.sample.login_code)
  })

  it('renders with sample data, and data given in their place', async () => {
    const { status, body } = await console.request('POST', PREVIEW, {
      template_type: 'login_code_valid',
      data: { login_code: '998877' },
    })
    assert.equal(status, 200)
    assert.ok(body.text.includes('998877'))
    const html = await console.request('GET', body.html_url)
    assert.equal(html.body, body.html)
    assert.match(html.headers.get('content-security-policy') ?? '', /default-src 'none'.*sandbox$/)
    const sms = await console.request('POST', PREVIEW, { template_type: 'login_code_valid', channel: 'sms' })
    assert.equal(sms.body.html_url, null)
  })

  it('renders by the templates of the project, and says what is wrong with them', async () => {
    const own = (text: string) => `base64://${Buffer.from(text).toString('base64')}`
    const projects = openProjects(console.database, 'a secret of the console tests')
    const email = (subject: string, plaintext: string) => ({
      email: { subject: own(subject), body: { plaintext: own(plaintext) } },
    })
    await projects.configure('acme', {
      courier: { templates: { login_code: { valid: email('Acme: {{ .LoginCode }}', '{{ .Nothing }') } } },
    })
    const { body } = await console.request('POST', '/projects/acme/templates/preview', {
      template_type: 'login_code_valid',
      data: { login_code: '1234' },
    })
    assert.equal(body.subject, 'Acme: 1234')
    assert.match(body.text, /1234/)
    assert.equal(body.problems.length, 1)
    const list = (await console.request('GET', '/admin/courier/templates?project=acme')).body
    const sources = new Map(
      list.map((each: { template_type: string; channels: Record<string, { source: string } | undefined> }) => [
        each.template_type,
        each.channels.email?.source,
      ]),
    )
    assert.deepEqual([sources.get('login_code_valid'), sources.get('recovery_valid')], ['uri', 'built_in'])
  })

  for (const [body, expected] of [
    [{ template_type: 'nothing' }, /template_type/],
    [{ template_type: 'stub', channel: 'fax' }, /channel/],
    [{ template_type: 'stub', locale: '../de' }, /locale/],
    [{ template_type: 'stub', data: [] }, /data/],
    [{ template_type: 'login_code_valid', data: { login_code: 5 } }, /login_code/],
    [{ template_type: 'recovery_valid', channel: 'sms' }, /sms/],
  ] as const) {
    it(`refuses ${JSON.stringify(body)}`, async () => {
      const { status, body: answer } = await console.request('POST', PREVIEW, body)
      assert.equal(status, 400)
      assert.match(answer.error.message, expected)
    })
  }

  it('shows the document of a preview to nobody else', async () => {
    const { headers } = await makeKey(console, { role: 'operator' })
    const { body } = await console.request('POST', PREVIEW, { template_type: 'stub' })
    assert.equal((await console.request('GET', body.html_url, undefined, headers)).status, 404)
    assert.equal((await console.request('GET', body.html_url)).status, 200)
  })
})

describe('the mailbox through the console', () => {
  it('lists mails, shows one, and removes them', async () => {
    const store = createMailboxStore(10)
    for (const to of ['ada@example.org', 'bob@example.org'])
      store.add({
        from: 'x@y.test',
        to: [to],
        raw: Buffer.from('Subject: Hello\r\n\r\nText\r\n'),
        receivedAt: new Date(),
      })
    const mailbox = createMailboxApi(store)
    await new Promise<void>((done) => mailbox.listen(0, '127.0.0.1', done))
    try {
      const mailboxOrigin = `http://127.0.0.1:${(mailbox.address() as AddressInfo).port}`
      await using console = await openConsole({ insights: { mailboxOrigin } })
      const list = await console.request('GET', '/mailbox/messages')
      assert.equal(list.body.length, 2)
      const [ada] = (await console.request('GET', '/mailbox/messages?to=ada@example.org&limit=5')).body
      assert.equal(ada.subject, 'Hello')
      assert.equal((await console.request('GET', `/mailbox/messages/${ada.id}`)).body.to, 'ada@example.org')
      assert.equal((await console.request('DELETE', `/mailbox/messages/${ada.id}`)).status, 204)
      assert.equal((await console.request('GET', `/mailbox/messages/${ada.id}`)).status, 404)
      assert.equal((await console.request('DELETE', '/mailbox/messages')).status, 204)
      assert.equal((await console.request('GET', '/mailbox/messages')).body.length, 0)
    } finally {
      mailbox.close()
    }
  })

  it('says why there is none, and when it does not answer', async () => {
    await using console = await openConsole()
    const { status, body } = await console.request('GET', '/mailbox/messages')
    assert.equal(status, 404)
    assert.match(body.error.message, /There is no mailbox/)
    const port = await freePort()
    await using other = await openConsole({ insights: { mailboxOrigin: `http://127.0.0.1:${port}` } })
    assert.match((await other.request('GET', '/mailbox/messages')).body.error.message, /does not answer/)
  })

  it('is not for viewers, since it shows codes', async () => {
    await using console = await openConsole()
    const { headers } = await makeKey(console, { role: 'viewer' })
    assert.equal((await console.request('GET', '/mailbox/messages', undefined, headers)).status, 403)
  })
})
