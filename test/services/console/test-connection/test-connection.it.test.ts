import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { MASK } from '#libs/config'
import type { Step } from '../../../../services/console/test-connection/steps.ts'
import { openHttpSink } from '../../../support/http-sink.ts'
import { openProjects } from '../../../support/projects.ts'
import { openSmtpSink, type SinkScript } from '../../../support/smtp-sink.ts'
import { openAuthority, selfSigned } from '../../courier/channels/smtp/certificates.ts'
import { makeKey } from '../keys/make-keys.ts'
import { openConsole, type TestConsole } from '../open-console.ts'

const PASSWORD = 'pass%2Fword-of-the-test'
const PLAIN_PASSWORD = 'pass/word-of-the-test'
const SECRET = 'a secret of the console tests'

describe('POST /projects/{project}/test-connection', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole()
  })
  after(() => console[Symbol.asyncDispose]())

  const test = async (connection_uri: string, more: object = {}, project = 'default'): Promise<Step[]> => {
    const identity_config = { courier: { smtp: { connection_uri } }, ...more }
    const { status, body } = await console.request('POST', `/projects/${project}/test-connection`, { identity_config })
    assert.equal(status, 200, JSON.stringify(body))
    assert.ok(!JSON.stringify(body).includes(PLAIN_PASSWORD))
    return body
  }
  const outcomes = (steps: readonly Step[]) => steps.map(({ step, ok }) => `${step} ${ok}`).join(', ')
  const sinkOf = (script: SinkScript) => openSmtpSink(script)
  const authBy = (...mechanisms: string[]) => ({ user: 'ada', password: PLAIN_PASSWORD, mechanisms })

  it('goes step by step to the sender, and sends nothing', async () => {
    await using sink = await sinkOf({})
    const steps = await test(`smtp://127.0.0.1:${sink.port}/?disable_starttls=true`)
    assert.equal(outcomes(steps), 'resolve true, connect true, greeting true, ehlo true, auth null, mail_from true')
    assert.ok(steps.every(({ ok, ms }) => ok === null || (typeof ms === 'number' && ms >= 0)))
    assert.match(steps.find(({ step }) => step === 'ehlo')?.detail ?? '', /PIPELINING/)
    assert.equal(sink.mails.length, 0)
    assert.ok(!sink.lines.some((line) => /RCPT|DATA/.test(line)))
  })

  it('stops at a port where nobody listens, with what to do', async () => {
    const sink = await sinkOf({})
    const { port } = sink
    await sink[Symbol.asyncDispose]()
    const steps = await test(`smtp://127.0.0.1:${port}/`)
    assert.match(outcomes(steps), /^resolve true, connect false, greeting null/)
    const failed = steps.find(({ ok }) => ok === false)
    assert.match(failed?.detail ?? '', /refused the connection/)
    assert.match(failed?.remedy ?? '', /Check that it runs/)
  })

  it('tells a name that is not in DNS', async () => {
    const steps = await test('smtp://mail.does-not-exist.invalid:25/')
    assert.equal(steps[0]?.ok, false)
    assert.match(steps[0]?.detail ?? '', /cannot be (found in DNS|looked up)/)
  })

  it('tells a refused login by its code, and never the credentials', async () => {
    await using sink = await sinkOf({
      answer: (command) => (command === 'AUTH' ? `535 5.7.8 no: ${PLAIN_PASSWORD}` : undefined),
      extensions: ['AUTH PLAIN'],
    })
    const steps = await test(`smtp://ada:${PASSWORD}@127.0.0.1:${sink.port}/?disable_starttls=true`)
    const failed = steps.find(({ ok }) => ok === false)
    assert.equal(failed?.step, 'auth')
    assert.match(failed?.detail ?? '', /535 5\.7\.8/)
    assert.match(failed?.remedy ?? '', /user and password/)
    assert.equal(steps.at(-1)?.ok, null)
  })

  for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
    it(`logs in by ${mechanism}`, async () => {
      await using sink = await sinkOf({ auth: authBy(mechanism) })
      const steps = await test(`smtp://ada:${PASSWORD}@127.0.0.1:${sink.port}/?disable_starttls=true`)
      const login = steps.find(({ step }) => step === 'auth')
      assert.deepEqual([login?.ok, login?.detail], [true, `${mechanism}, answered 235 2.7.0.`])
    })
  }

  for (const isImplicit of [true, false]) {
    it(`speaks ${isImplicit ? 'TLS from the start' : 'STARTTLS'}, and tells a certificate that nobody knows`, async () => {
      await using sink = await sinkOf({ tls: { ...selfSigned('localhost'), isImplicit }, auth: authBy('PLAIN') })
      const scheme = isImplicit ? 'smtps' : 'smtp'
      const step = isImplicit ? 'tls' : 'starttls'
      const refused = await test(`${scheme}://ada:${PASSWORD}@localhost:${sink.port}/`)
      const failed = refused.find(({ ok }) => ok === false)
      assert.equal(failed?.step, step)
      assert.match(failed?.detail ?? '', /certificate/)
      assert.ok(failed?.remedy)
      const steps = await test(`${scheme}://ada:${PASSWORD}@localhost:${sink.port}/?skip_ssl_verify=true`)
      const secured = steps.find((each) => each.step === step)
      assert.match(secured?.detail ?? '', /^TLSv1\.3, .*certificate not checked$/)
      assert.ok(
        steps.every(({ ok }) => ok === true),
        outcomes(steps),
      )
    })
  }

  it('tells a certificate for another name', async () => {
    await using sink = await sinkOf({ tls: { ...openAuthority().issue('other.test'), isImplicit: true } })
    const failed = (await test(`smtps://localhost:${sink.port}/`)).find(({ ok }) => ok === false)
    assert.equal(failed?.step, 'tls')
  })

  it('tells a server without STARTTLS, and one that refuses the sender', async () => {
    await using sink = await sinkOf({ answer: (command) => (command === 'MAIL' ? '553 5.7.1 not you' : undefined) })
    const secure = await test(`smtp://127.0.0.1:${sink.port}/`)
    assert.match(secure.find(({ ok }) => ok === false)?.detail ?? '', /does not offer STARTTLS/)
    const clear = await test(`smtp://127.0.0.1:${sink.port}/?disable_starttls=true`)
    const failed = clear.find(({ ok }) => ok === false)
    assert.equal(failed?.step, 'mail_from')
    assert.match(failed?.remedy ?? '', /from_address/)
  })

  it('tells a server that says nothing an SMTP client understands', async () => {
    await using sink = await sinkOf({ greeting: 'SSH-2.0-OpenSSH_9' })
    const steps = await test(`smtp://127.0.0.1:${sink.port}/`)
    assert.match(steps.find(({ step }) => step === 'greeting')?.detail ?? '', /does not speak SMTP/)
  })

  it('takes the stored password for its mask, as saving does, and only for the same server', async () => {
    await using sink = await sinkOf({ auth: authBy('PLAIN') })
    const projects = openProjects(console.database, SECRET)
    const uri = (password: string, port: number) => `smtp://ada:${password}@127.0.0.1:${port}/?disable_starttls=true`
    await projects.configure('acme', { courier: { smtp: { connection_uri: uri(PASSWORD, sink.port) } } })
    const saved = await console.request('POST', '/projects/acme/test-connection', {})
    assert.equal(saved.status, 200)
    const shown = (await console.request('GET', '/projects/acme/identity-config')).body
    assert.ok(
      shown.courier.smtp.connection_uri.includes(MASK) ||
        shown.courier.smtp.connection_uri.includes(encodeURIComponent(MASK)),
    )
    const same = await console.request('POST', '/projects/acme/test-connection', { identity_config: shown })
    assert.equal(outcomes(same.body), outcomes(saved.body))
    assert.equal(same.body.find(({ step }: Step) => step === 'auth').ok, true, JSON.stringify(same.body))
    const moved = structuredClone(shown)
    moved.courier.smtp.connection_uri = moved.courier.smtp.connection_uri.replace(`:${sink.port}`, ':2525')
    const other = await console.request('POST', '/projects/acme/test-connection', { identity_config: moved })
    assert.equal(other.status, 400)
  })

  it('goes nowhere that the operator has closed', async () => {
    await using sink = await sinkOf({})
    const projects = openProjects(console.database, SECRET)
    await projects.configure('default', { clients: { smtp: { disallow_private_ip_ranges: true } } })
    const open = { clients: { smtp: { disallow_private_ip_ranges: false } } }
    const steps = await test(`smtp://127.0.0.1:${sink.port}/`, open, 'acme')
    assert.equal(steps[0]?.ok, false)
    assert.match(steps[0]?.detail ?? '', /out of bounds/)
    assert.equal(sink.connections(), 0)
    await projects.configure('default', {})
  })

  it('connects to an HTTP target and sends no request, which it says', async () => {
    await using sink = await openHttpSink()
    const request_config = { url: `${sink.origin}/send?key=hidden-key`, method: 'POST' }
    const identity_config = { courier: { delivery_strategy: 'http', http: { request_config } } }
    const { body } = await console.request('POST', '/projects/default/test-connection', { identity_config })
    assert.equal(outcomes(body), 'resolve true, connect true, tls null, request null')
    assert.match(body.at(-1).detail, /No request is sent/)
    assert.equal(sink.requests.length, 0)
    assert.ok(!JSON.stringify(body).includes('hidden-key'))
  })

  it('refuses a configuration that could not be saved, by key', async () => {
    const identity_config = { courier: { smtp: { connection_uri: 'http://mail.test' } } }
    const { status, body } = await console.request('POST', '/projects/default/test-connection', { identity_config })
    assert.equal(status, 400)
    assert.match(body.error.message, /courier\.smtp\.connection_uri/)
  })

  it('says no more to a server than it means to, whatever the name in EHLO holds', async () => {
    await using sink = await sinkOf({})
    const connection_uri = `smtp://127.0.0.1:${sink.port}/?disable_starttls=true`
    const smtp = { connection_uri, local_name: 'mail.example.org\r\nVRFY ada' }
    const { status, body } = await console.request('POST', '/projects/default/test-connection', {
      identity_config: { courier: { smtp } },
    })
    assert.equal(status, 400)
    assert.match(body.error.message, /^courier\.smtp\.local_name: expected a host name/)
    assert.equal(sink.connections(), 0)
  })

  it('is for administrators', async () => {
    const { headers } = await makeKey(console, { role: 'operator' })
    assert.equal((await console.request('POST', '/projects/default/test-connection', {}, headers)).status, 403)
  })
})

describe('POST /projects/{project}/test-message', () => {
  it('sends a stub of the project through the outbox', async () => {
    await using console = await openConsole()
    await console.request('POST', '/projects', { name: 'Acme' })
    const { status, body } = await console.request('POST', '/projects/acme/test-message', {
      recipient: 'ada@example.org',
    })
    assert.equal(status, 202)
    const message = (await console.request('GET', `/admin/courier/messages/${body.id}`)).body
    assert.deepEqual([message.template_type, message.recipient, message.state], ['stub', 'ada@example.org', 'queued'])
    const { rows } = await console.database.query({
      text: 'select lane from outbox.message where id = $1',
      values: [body.id],
    })
    assert.deepEqual(rows, [{ lane: 'urgent' }])
  })

  it('refuses what is no address, and whoever may not send', async () => {
    await using console = await openConsole()
    const bad = await console.request('POST', '/projects/default/test-message', { recipient: 'nobody' })
    assert.equal(bad.status, 400)
    const { headers } = await makeKey(console, { role: 'viewer' })
    const denied = await console.request('POST', '/projects/default/test-message', { recipient: 'a@b.test' }, headers)
    assert.equal(denied.status, 403)
  })
})
