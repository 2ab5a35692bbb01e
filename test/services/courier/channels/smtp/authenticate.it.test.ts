/** User and password, from the URI to the server, however odd they are. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseSmtpUri } from '#libs/smtp'
import { selfSigned } from './certificates.ts'
import { openFixture } from './smtp-fixture.ts'

const ADA = 'ada@example.org'
const TLS = selfSigned('localhost')

/** As they stand in a URI, and what they mean. */
const LOGINS: readonly (readonly [userinfo: string, user: string, password: string])[] = [
  ['user%40mg.example.org:p%2Fw', 'user@mg.example.org', 'p/w'],
  ['u:p:q', 'u', 'p:q'],
  ['u:p@ss', 'u', 'p@ss'],
  ['u:b+c', 'u', 'b+c'],
  ['u:b$c', 'u', 'b$c'],
  ['u:b%2Bc%20d', 'u', 'b+c d'],
  ['u:%25%3F%23%5B%5D', 'u', '%?#[]'],
  ['us%3Aer:p', 'us:er', 'p'],
  ['u:%C3%BC%F0%9F%94%91', 'u', 'ü🔑'],
  ['AKIAIOSFODNN7EXAMPLE:BEx%2FAmPlE%2BKeY%3D', 'AKIAIOSFODNN7EXAMPLE', 'BEx/AmPlE+KeY='],
  ['u', 'u', ''],
  [`u:${'x'.repeat(3_000)}`, 'u', 'x'.repeat(3_000)],
]

describe('authenticate', () => {
  for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
    for (const [userinfo, user, password] of LOGINS) {
      it(`logs in by ${mechanism} as ${userinfo.slice(0, 50)}`, async () => {
        const script = { tls: TLS, auth: { user, password, mechanisms: [mechanism] } }
        const uri = `smtp://${userinfo}@127.0.0.1:PORT/?skip_ssl_verify=true`
        await using fixture = await openFixture(script, {}, uri)
        const { outcome, failure } = await fixture.send(ADA)
        assert.equal(outcome, 'accepted', failure?.message)
        assert.ok(fixture.sink.lines.every((line) => !line.includes(' AUTH') || line.length <= 512))
      })
    }
  }

  it('says nothing of the login before TLS, also where it is offered there', async () => {
    const auth = { user: 'u', password: 'p', mechanisms: ['PLAIN'] }
    await using fixture = await openFixture({ tls: TLS, auth }, {}, 'smtp://u:p@127.0.0.1:PORT/?skip_ssl_verify=true')
    assert.equal((await fixture.send(ADA)).outcome, 'accepted')
    assert.deepEqual(
      fixture.sink.lines.slice(0, 4).map((line) => line.split(' ')[1]),
      ['EHLO', 'STARTTLS', 'EHLO', 'AUTH'],
    )
  })

  it('believes what is offered under TLS, not what was offered before', async () => {
    const script = {
      tls: TLS,
      auth: { user: 'u', password: 'p', mechanisms: ['LOGIN'], needsTls: true },
      // Someone in between offers a way of his own.
      answer: (command: string, _: string, session: { isSecure: boolean }) =>
        command === 'EHLO' && !session.isSecure ? '250-sink\r\n250-STARTTLS\r\n250 AUTH PLAIN' : undefined,
    }
    await using fixture = await openFixture(script, {}, 'smtp://u:p@127.0.0.1:PORT/?skip_ssl_verify=true')
    assert.equal((await fixture.send(ADA)).outcome, 'accepted')
    assert.ok(fixture.sink.lines.includes('1 AUTH LOGIN'))
  })

  it('does not log in where the URI names nobody', async () => {
    const auth = { user: 'u', password: 'p', mechanisms: ['PLAIN'] }
    await using fixture = await openFixture({ tls: TLS, auth }, {}, 'smtp://127.0.0.1:PORT/?skip_ssl_verify=true')
    const { failure } = await fixture.send(ADA)
    assert.equal(failure?.class, 'auth')
    assert.equal(failure?.replyCode, 530)
    assert.ok(!fixture.sink.lines.some((line) => line.includes('AUTH')))
  })

  it('gives up in time on a challenge that never comes', async () => {
    const auth = { user: 'u', password: 'p', mechanisms: ['LOGIN'] }
    const script = { auth, answer: (command: string) => (command === 'AUTH' ? '' : undefined) }
    await using fixture = await openFixture(
      script,
      { timeouts: { sessionMs: 300 } },
      'smtp://u:p@127.0.0.1:PORT/?disable_starttls=true',
    )
    const { failure } = await fixture.send(ADA)
    assert.equal(failure?.class, 'network')
    assert.match(failure?.message ?? '', /wait too long while we waited for the reply to AUTH/)
  })

  for (const [uri, port] of [
    ['smtp://u:p@server', 587],
    ['smtp://server/', 587],
    ['smtp://u:p@server/?disable_starttls=true', 587],
    ['smtp://server/?disable_starttls=true', 25],
    ['smtps://u:p@server/', 465],
    ['smtps://server', 465],
  ] as const) {
    it(`goes to port ${port} by ${uri}`, () => assert.equal(parseSmtpUri(uri).port, port))
  }
})
