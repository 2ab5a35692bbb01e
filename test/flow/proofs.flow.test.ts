/** Verification, recovery and a changed address, from the request to the mail and back through the link in it; SMS over an HTTP provider. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { DEFAULT_PROJECT_ID, openSealer } from '#libs/messages'
import { renderMessage, SAMPLE_DATA } from '#libs/templates'
import { type HttpSink, openHttpSink } from '../support/http-sink.ts'
import { waitFor } from '../support/servers.ts'
import { type Mail, openSystem, type System } from '../support/system.ts'

const SECRET = 'a secret of the test of proofs'
const PHONE = '+4930901820'
const SMS_BODY =
  'function(ctx) { to: ctx.recipient, text: ctx.body, type: ctx.template_type, headers: ctx.request_headers }'
const BROWSER = { accept: 'text/html' }
const JSON_CLIENT = { accept: 'application/json' }

interface Sms {
  readonly to: string
  readonly text: string
  readonly type: string
  readonly headers: Record<string, string[]>
}

describe('proofs of an address', () => {
  let system: System
  let sink: HttpSink

  before(async () => {
    sink = await openHttpSink()
    const request_config = {
      url: `${sink.origin}/sms`,
      method: 'POST',
      body: `base64://${Buffer.from(SMS_BODY).toString('base64')}`,
    }
    system = await openSystem({
      env: {
        SECRETS_CIPHER: JSON.stringify([SECRET]),
        POSTRIDER_IDENTITY_THROTTLE_REQUESTS: '100000',
        COURIER_CHANNELS: JSON.stringify([{ id: 'sms', type: 'http', request_config }]),
      },
    })
  })
  after(async () => {
    await system?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
  })

  const ask = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    system.request('POST', `${system.identity}${path}`, body, headers)
  const whoami = (token: string) =>
    system.request('GET', `${system.identity}/sessions/whoami`, undefined, { 'x-session-token': token })
  const nthMail = (address: string, count: number): Promise<Mail> =>
    waitFor(
      async () => {
        const mails = await system.mailsTo(address)
        return mails.length >= count ? mails[0] : undefined
      },
      { timeoutMs: 30_000, message: `mail ${count} did not come` },
    )
  const texts = (): Sms[] => sink.requests.map(({ body }) => JSON.parse(body))
  const smsOf = (type: string): Promise<Sms> =>
    waitFor(() => texts().find((sms) => sms.type === type), { timeoutMs: 30_000, message: 'no SMS came' })

  let identity: { id: string }

  it('verifies by the link in the mail, once, and says so the second time', async () => {
    const { body } = await ask('/self-service/registration', { traits: { email: 'ada@proof.example' } })
    const code = codeIn((await nthMail('ada@proof.example', 1)).text)
    identity = (await ask(`/self-service/registration/${body.flow_id}`, { code })).body

    await ask('/self-service/verification', { email: 'ada@proof.example', method: 'link' })
    const link = linkIn(await nthMail('ada@proof.example', 2), system.identity)
    const first = await fetch(link, { headers: BROWSER })
    assert.equal(first.status, 200)
    assert.match(await first.text(), /<h1>Address verified<\/h1>/)
    const second = await system.request('GET', link, undefined, JSON_CLIENT)
    assert.deepEqual([second.status, second.body.already_verified], [200, true])
  })

  let token: string

  it('recovers by the link in the mail to a session that works, once', async () => {
    await ask('/self-service/recovery', { email: 'ada@proof.example', method: 'link' })
    const link = linkIn(await nthMail('ada@proof.example', 3), system.identity)
    const scanner = await fetch(link, { headers: BROWSER })
    assert.match(await scanner.text(), /<form method="post"/)
    const recovered = await system.request('GET', link, undefined, JSON_CLIENT)
    assert.equal(recovered.status, 200)
    token = recovered.body.session_token
    assert.equal((await whoami(token)).body.identity.id, identity.id)
    assert.equal((await system.request('GET', link, undefined, JSON_CLIENT)).status, 410)
  })

  it('mails both addresses when one replaces the other, and verifies the new one by the link beside its code', async () => {
    const changed = await system.request(
      'PATCH',
      `${system.identity}/identities/${identity.id}`,
      { traits: { email: 'lovelace@proof.example' } },
      { authorization: `Bearer ${token}` },
    )
    assert.equal(changed.status, 200)
    const notice = await nthMail('ada@proof.example', 4)
    assert.ok(notice.text.includes(identity.id))
    const mail = await nthMail('lovelace@proof.example', 1)
    const link = linkIn(mail, system.identity)
    assert.equal(new URL(link).searchParams.get('code'), codeIn(mail.text))
    assert.equal((await fetch(link, { headers: BROWSER })).status, 200)
    const [address] = (await whoami(token)).body.identity.verifiable_addresses
    assert.deepEqual([address.value, address.verified], ['lovelace@proof.example', true])
  })

  it('registers and recovers by SMS through the HTTP provider', async () => {
    const agent = { 'user-agent': 'Proof/1' }
    const { body } = await ask('/self-service/registration', { traits: { phone: PHONE } }, agent)
    const sms = await smsOf('registration_code_valid')
    assert.equal(sms.to, PHONE)
    assert.deepEqual(sms.headers['User-Agent'], ['Proof/1'])
    const done = await ask(`/self-service/registration/${body.flow_id}`, { code: codeIn(sms.text) })
    assert.deepEqual(done.body.traits, { phone: PHONE })

    const recovery = await ask('/self-service/recovery', { phone: PHONE })
    const code = codeIn((await smsOf('recovery_code_valid')).text)
    const recovered = await ask(`/self-service/recovery/${recovery.body.flow_id}`, { code })
    assert.equal((await whoami(recovered.body.session_token)).status, 200)
  })

  it('delivers all thirteen types by mail, and every type that has a text by SMS, as they are rendered', async () => {
    const messages = SAMPLE_DATA.map(({ templateType, channel, data }) => ({
      recipient: channel === 'sms' ? '+4930000001' : `${templateType}@types.example`,
      template_type: templateType,
      template_data: data,
      channel,
    }))
    const types = SAMPLE_DATA.filter(({ channel }) => channel === 'email').map(({ templateType }) => templateType)
    assert.equal(new Set(types).size, 13)
    const accepted = await system.request('POST', `${system.console}/admin/courier/messages`, messages)
    assert.equal(accepted.status, 202)
    for (const { templateType, channel, data } of SAMPLE_DATA) {
      const expected = renderMessage({ templateType, channel, data })
      if (channel === 'email') {
        const mail = await system.mailTo(`${templateType}@types.example`)
        assert.equal(mail.subject, expected.subject)
        assert.equal(mail.text.trim(), expected.text.trim())
      } else {
        const isIt = (sms: Sms) => sms.to === '+4930000001' && sms.type === templateType
        const sms = await waitFor(() => texts().find(isIt), { timeoutMs: 30_000, message: `no SMS ${templateType}` })
        assert.equal(sms.text.trim(), expected.text.trim())
      }
    }
  })

  it('follows a revision of the project default without a restart', async () => {
    await using database = openDatabase({ url: system.databaseUrl, applicationName: 'test' })
    const settings = { selfservice: { flows: { recovery: { notify_unknown_recipients: true } } } }
    await database.query({
      text: `insert into config.revision (project_id, number, sealed, author)
             select $1, coalesce(max(number), 0) + 1, $2, 'test' from config.revision where project_id = $1`,
      values: [DEFAULT_PROJECT_ID, openSealer([SECRET]).seal(DEFAULT_PROJECT_ID, 'revision', settings)],
    })
    let asked = 0
    // Another address each time, since the same one may be asked for five times only.
    const mail = await waitFor(
      async () => {
        const email = `nobody-${asked++}@proof.example`
        await ask('/self-service/recovery', { email })
        for (let i = 0; i < asked; i++) {
          const [found] = await system.mailsTo(`nobody-${i}@proof.example`)
          if (found !== undefined) return found
        }
        return undefined
      },
      { timeoutMs: 30_000, message: 'the revision has no effect' },
    )
    assert.doesNotMatch(mail.text, /\b[0-9]{6}\b/)
  })
})

function codeIn(text: string): string {
  const code = /\b[0-9]{6}\b/.exec(text)?.[0]
  assert.ok(code, 'the text has a code')
  return code
}

function linkIn({ text }: Mail, base: string): string {
  const link = /https?:\/\/\S+/.exec(text)?.[0] ?? ''
  assert.ok(link.startsWith(`${base}/self-service/`), `the mail has a link, found ${link.length} characters`)
  return link
}
