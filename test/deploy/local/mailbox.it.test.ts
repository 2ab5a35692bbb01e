import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createTransport, type Transporter } from 'nodemailer'
import { type Mailbox, openMailbox } from '../../../deploy/local/mailbox-server.ts'
import { waitFor } from '../../support/servers.ts'

describe('openMailbox', () => {
  let mailbox: Mailbox
  let client: Transporter
  const api = async (method: string, path: string) => {
    const response = await fetch(`http://127.0.0.1:${mailbox.httpPort}${path}`, { method })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }

  before(async () => {
    mailbox = await openMailbox({ smtpPort: 0, httpPort: 0 })
    client = createTransport({ host: '127.0.0.1', port: mailbox.smtpPort, ignoreTLS: true, pool: true })
  })
  after(async () => {
    client.close()
    await mailbox[Symbol.asyncDispose]()
  })

  it('offers the extensions that the courier uses, and neither AUTH nor STARTTLS', async () => {
    const socket = connect(mailbox.smtpPort, '127.0.0.1').setEncoding('utf8')
    let said = ''
    socket.on('data', (text: string) => {
      said += text
    })
    await waitFor(() => said.startsWith('220'))
    socket.write('EHLO test\r\n')
    await waitFor(() => /^250 /m.test(said))
    socket.end('QUIT\r\n')
    await once(socket, 'close')
    for (const extension of ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES']) {
      assert.match(said, new RegExp(`^250[ -]${extension}`, 'm'))
    }
    assert.doesNotMatch(said, /AUTH|STARTTLS/)
  })

  it('shows a mail as it was meant: decoded text, headers, envelope', async () => {
    await client.sendMail({
      from: 'Postrider <no-reply@example.org>',
      to: 'ada@example.org',
      subject: 'Grüße: 123456',
      text: 'Dein Code ist 123456.\n.leading dot',
      html: '<p>Dein Code ist <b>123456</b>.</p>',
      headers: { 'X-Twice': ['one', 'two'], 'X-Long': 'word '.repeat(40).trim() },
    })
    const { body } = await api('GET', '/messages?to=ADA@example.org')
    assert.equal(body.length, 1)
    const [mail] = body
    assert.equal(mail.from, 'no-reply@example.org')
    assert.equal(mail.to, 'ada@example.org')
    assert.equal(mail.subject, 'Grüße: 123456')
    assert.match(mail.text, /^Dein Code ist 123456\.\n\.leading dot/)
    assert.match(mail.html, /<b>123456<\/b>/)
    assert.deepEqual(mail.headers['x-twice'], ['one', 'two'])
    assert.deepEqual(mail.headers['x-long'], ['word '.repeat(40).trim()])
    assert.ok(Date.parse(mail.received_at) <= Date.now())
    assert.deepEqual((await api('GET', `/messages/${mail.id}`)).body, mail)
  })

  it('lists newest first, finds whole addresses only, and counts what the limit leaves out', async () => {
    await api('DELETE', '/messages')
    const recipients = ['bo@example.org', 'bob@example.org', 'bo@example.org']
    for (const [index, to] of recipients.entries()) {
      await client.sendMail({ from: 'a@example.org', to, subject: `mail ${index}`, text: 'x' })
    }
    const subjects = async (query: string): Promise<string[]> =>
      (await api('GET', `/messages${query}`)).body.map((mail: { subject: string }) => mail.subject)
    assert.deepEqual(await subjects(''), ['mail 2', 'mail 1', 'mail 0'])
    assert.deepEqual(await subjects('?to=bo@example.org'), ['mail 2', 'mail 0'])
    assert.deepEqual(await subjects('?to=bo@example.org&limit=1'), ['mail 2'])
    assert.deepEqual(await subjects('?to=nobody@example.org'), [])
    assert.equal((await api('GET', '/messages?limit=1')).headers.get('x-total-count'), '3')
  })

  it('removes one mail, then all', async () => {
    const [newest] = (await api('GET', '/messages')).body
    assert.equal((await api('DELETE', `/messages/${newest.id}`)).status, 204)
    assert.equal((await api('GET', `/messages/${newest.id}`)).status, 404)
    assert.equal((await api('DELETE', '/messages')).status, 204)
    assert.deepEqual((await api('GET', '/messages')).body, [])
  })

  it('answers what it cannot do with an error object', async () => {
    for (const [method, path, code] of [
      ['GET', '/nothing', 404],
      ['GET', '/messages/0', 404],
      ['GET', '/messages?limit=none', 400],
      ['POST', '/messages', 405],
    ] as const) {
      const { status, body } = await api(method, path)
      assert.equal(status, code)
      assert.equal(body.error.code, code)
      assert.equal(typeof body.error.status, 'string')
      assert.equal(typeof body.error.message, 'string')
    }
    assert.deepEqual((await api('GET', '/health/alive')).body, { status: 'ok' })
  })
})
