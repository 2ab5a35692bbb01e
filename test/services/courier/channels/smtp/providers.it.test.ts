/** The providers of Ory's guide, by the URIs that it gives, against servers that behave as theirs. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { decide, treatmentOf } from '#libs/delivery'
import { isCoded } from '#libs/errors'
import { parseSmtpUri } from '#libs/smtp'
import type { AttemptResult, Channel } from '../../../../../services/courier/channels/channel.ts'
import { openMailgun, openPostmark, openSes, type SesLimits } from '../../../../support/provider-simulators.ts'
import type { SmtpSink } from '../../../../support/smtp-sink.ts'
import { openAuthority } from './certificates.ts'
import { namesAt } from './names-at.ts'
import { openChannel, outgoingMail, sendBy } from './smtp-fixture.ts'

const MAILGUN = 'smtp://some-user%40mailgun.example.org:some-password@smtp.mailgun.org:587'
const SES = 'smtp://theuser:the-password@email-smtp.eu-central-1.amazonaws.com:587/'
const POSTMARK = 'smtp://thetoken:thetoken@smtp.postmarkapp.com:587/'

const AUTHORITY = openAuthority()
const MAILGUN_ACCOUNT = { user: 'some-user@mailgun.example.org', password: 'some-password' }
const SES_ACCOUNT = { user: 'theuser', password: 'the-password' }
const openMailgunServer = () => openMailgun(MAILGUN_ACCOUNT, AUTHORITY.issue('smtp.mailgun.org'))
const openSesServer = (limits: SesLimits = {}) =>
  openSes(SES_ACCOUNT, AUTHORITY.issue('email-smtp.eu-central-1.amazonaws.com'), limits)
const openPostmarkServer = () => openPostmark('thetoken', AUTHORITY.issue('smtp.postmarkapp.com'))

interface Customer extends AsyncDisposable {
  readonly channel: Channel
  readonly send: (messageId?: string) => Promise<AttemptResult>
}

/** By the guide's URI, with the simulator's port: the name is looked up here, and its certificate is checked. */
function customerOf(sink: SmtpSink, uri: string, maxConnections = 1): Customer {
  const options = { tls: { ca: AUTHORITY.cert }, guard: namesAt('127.0.0.1'), maxConnections }
  const channel = openChannel(uri.replace(':587', `:${sink.port}`), options)
  return {
    channel,
    send: (messageId = randomUUID()) => sendBy(channel, outgoingMail('ada@example.org', { messageId })),
    [Symbol.asyncDispose]: () => channel.close(),
  }
}

describe("the guide's URIs", () => {
  const START = { port: 587, security: 'starttls', verify: true }
  for (const [provider, uri, target] of [
    ['Mailgun', MAILGUN, { ...START, ...MAILGUN_ACCOUNT, host: 'smtp.mailgun.org' }],
    ['Amazon SES', SES, { ...START, ...SES_ACCOUNT, host: 'email-smtp.eu-central-1.amazonaws.com' }],
    ['Postmark', POSTMARK, { ...START, host: 'smtp.postmarkapp.com', user: 'thetoken', password: 'thetoken' }],
  ] as const) {
    it(`of ${provider} is read as it is meant`, () => assert.deepEqual(parseSmtpUri(uri), target))
  }

  for (const uri of [
    'smtp://{smtp-user}:{smtp-password}@smtp.mailgun.org:587',
    'smtp://theuser:the-password@email-smtp.{region}.amazonaws.com:587/',
    'smtp://{YOUR_POSTMARK_SEVER_API_TOKEN}:{YOUR_POSTMARK_SEVER_API_TOKEN}@smtp.postmarkapp.com:587/',
    'smtp://thetoken:[email protected]:587/',
  ]) {
    it(`is refused while a placeholder stands in it: ${uri}`, () => {
      assert.throws(
        () => parseSmtpUri(uri),
        (error) => isCoded(error, 'SMTP_URI_INVALID'),
      )
    })
  }
})

/** What every provider refuses. */
for (const [provider, uri, open] of [
  ['Mailgun', MAILGUN, openMailgunServer],
  ['Amazon SES', SES, openSesServer],
  ['Postmark', POSTMARK, openPostmarkServer],
] as const) {
  describe(`${provider}, as simulated`, () => {
    it('takes mail by the URI of the guide, under TLS, several over one session', async () => {
      await using sink = await open()
      await using customer = customerOf(sink, uri)
      for (let mail = 1; mail <= 3; mail++) {
        const { outcome, failure, peer } = await customer.send()
        assert.equal(outcome, 'accepted', failure?.message)
        assert.equal(peer?.tls, 'TLSv1.3')
      }
      assert.equal(sink.connections(), 1)
      assert.ok(sink.mails.every(({ isSecure }) => isSecure))
    })

    it('refuses a wrong password with 535, which charges no message and is told without the password', async () => {
      await using sink = await open()
      await using customer = customerOf(sink, uri.replace(/:[^:@/]+@/, ':wrong-secret@'))
      const { outcome, failure, reply, conversation } = await customer.send()
      assert.equal(outcome, 'failed')
      assert.equal(failure?.class, 'auth')
      assert.equal(reply?.code, 535)
      assert.equal(treatmentOf('auth').charged, false)
      assert.match(failure?.message ?? '', /check user and password/)
      assert.doesNotMatch(JSON.stringify([failure, conversation]), /wrong-secret|d3Jvbmctc2VjcmV0/)
    })
  })
}

for (const [provider, uri, open] of [
  ['Mailgun', MAILGUN, openMailgunServer],
  ['Amazon SES', SES, openSesServer],
] as const) {
  describe(`${provider}, as simulated`, () => {
    it('refuses mail in clear with 530', async () => {
      await using sink = await open()
      const clear = uri.replace(/\/?$/, '/?disable_starttls=true').replace(/\/\/[^@]+@/, '//')
      await using customer = customerOf(sink, clear)
      const { failure, reply } = await customer.send()
      assert.equal(failure?.class, 'auth')
      assert.equal(reply?.code, 530)
      assert.match(reply?.text ?? '', /Must issue a STARTTLS command first/)
    })
  })
}

describe('openSmtpChannel to Mailgun', () => {
  it('keeps the Message-ID, which is the id that Mailgun goes by, since its yes names none', async () => {
    await using sink = await openMailgunServer()
    await using customer = customerOf(sink, MAILGUN)
    const messageId = randomUUID()
    const { reply, providerMessageId } = await customer.send(messageId)
    assert.equal(reply?.text, 'Great success')
    assert.equal(providerMessageId, undefined)
    assert.deepEqual(sink.messageIds(), [`<${messageId}@example.org>`])
  })
})

describe('openSmtpChannel to Postmark', () => {
  it("reads Postmark's id from its yes", async () => {
    await using sink = await openPostmarkServer()
    await using customer = customerOf(sink, POSTMARK)
    const { reply, providerMessageId } = await customer.send()
    assert.match(providerMessageId ?? '', /^[0-9a-f-]{36}$/)
    assert.ok(reply?.text.endsWith(providerMessageId ?? ' '))
  })

  it('logs in without showing the token, by CRAM-MD5', async () => {
    await using sink = await openPostmarkServer()
    await using customer = customerOf(sink, POSTMARK)
    await customer.send()
    assert.ok(sink.lines.includes('1 AUTH CRAM-MD5'))
  })
})

describe('openSmtpChannel to Amazon SES', () => {
  it("reads Amazon's id from its yes", async () => {
    await using sink = await openSesServer()
    await using customer = customerOf(sink, SES)
    const { providerMessageId } = await customer.send()
    assert.match(providerMessageId ?? '', /^0102[0-9a-f]{12}-[0-9a-f-]{36}-000000$/)
  })

  it('takes 454 for throttling, which charges no try, and sends the mail later over the same session', async () => {
    const limits = { mailsPerSecond: 0 }
    await using sink = await openSesServer(limits)
    await using customer = customerOf(sink, SES)
    const messageId = randomUUID()
    const throttled = await customer.send(messageId)
    assert.equal(throttled.failure?.class, 'throttled')
    assert.equal(throttled.reply?.code, 454)
    const next = decide(
      {
        ...throttled,
        failure: throttled.failure!,
        dispatch: 1,
        charged: 0,
        unknowns: 0,
        nowMs: 0,
        expiresAtMs: 3_600_000,
        random: 0,
      },
      { maxAttempts: 1, scheduleMs: [5_000], onUnknown: 'resend' },
    )
    assert.deepEqual(next, { kind: 'retry', atMs: 5_000, charged: false })
    limits.mailsPerSecond = 1_000
    assert.equal((await customer.send(messageId)).outcome, 'accepted')
    assert.equal(sink.connections(), 1)
    assert.deepEqual(sink.messageIds(), [`<${messageId}@example.org>`])
  })

  it('goes on over a new session within the same try when one has had its share, and every mail arrives once', async () => {
    await using sink = await openSesServer({ mailsPerSession: 3 })
    await using customer = customerOf(sink, SES)
    const ids = Array.from({ length: 10 }, () => randomUUID())
    for (const id of ids) {
      const { outcome, failure } = await customer.send(id)
      assert.equal(outcome, 'accepted', failure?.message)
    }
    assert.equal(sink.connections(), 4)
    assert.deepEqual(
      sink.messageIds(),
      ids.map((id) => `<${id}@example.org>`),
    )
  })

  it('takes too many sessions for throttling: the mails wait, and none is charged', async () => {
    await using sink = await openSesServer({ sessions: 1 })
    await using customer = customerOf(sink, SES, 3)
    const attempts = await Promise.all([customer.send(), customer.send(), customer.send()])
    assert.deepEqual(attempts.map(({ failure }) => failure?.class).sort(), ['throttled', 'throttled', undefined])
    assert.equal(sink.mails.length, 1)
  })

  it('gives up a mail whose sender is not verified, and says what to verify', async () => {
    await using sink = await openSesServer({ verified: ['someone@example.org'] })
    await using customer = customerOf(sink, SES)
    const { failure, reply } = await customer.send()
    assert.equal(failure?.class, 'permanent_remote')
    assert.equal(reply?.code, 554)
    assert.match(failure?.message ?? '', /554: it has not verified the sender.*verify courier\.smtp\.from_address/)
    assert.doesNotMatch(failure?.message ?? '', /no-reply@/, 'the address stays in the reply')
  })
})
