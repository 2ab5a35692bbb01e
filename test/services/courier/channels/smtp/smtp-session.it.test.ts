/** TLS and login, in every form of the URI, against servers with right and wrong certificates. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openSmtpSink, type SinkScript } from '../../../../support/smtp-sink.ts'
import { openAuthority, selfSigned } from './certificates.ts'
import { openFixture } from './smtp-fixture.ts'

const ADA = 'ada@example.org'
const SEND_ONE = fileURLToPath(new URL('./send-one.ts', import.meta.url))
const execute = promisify(execFile)
const AUTHORITY = openAuthority()
const KNOWN = { tls: { ca: AUTHORITY.cert } }
const RIGHT = AUTHORITY.issue('localhost')
const ELSEWHERE = AUTHORITY.issue('mail.example.org')
const SELF_SIGNED = selfSigned('localhost')

describe('openSession', () => {
  for (const [scheme, isImplicit] of [
    ['smtp', false],
    ['smtps', true],
  ] as const) {
    describe(`over ${scheme}://`, () => {
      const url = (query = ''): string => `${scheme}://127.0.0.1:PORT/${query}`

      it('checks the certificate against server_name and sends under TLS', async () => {
        await using fixture = await openFixture({ tls: { ...RIGHT, isImplicit } }, KNOWN, url('?server_name=localhost'))
        const { outcome, peer } = await fixture.send(ADA)
        assert.equal(outcome, 'accepted')
        assert.equal(peer?.tls, 'TLSv1.3')
        assert.equal((await fixture.send(ADA)).reused, true)
      })

      for (const [what, tls, message] of [
        [
          'for another name',
          ELSEWHERE,
          /certificate for mail\.example\.org, not for localhost: set \?server_name=mail\.example\.org/,
        ],
        ['that is self-signed', SELF_SIGNED, /self-signed.*skip_ssl_verify/],
      ] as const) {
        it(`refuses a certificate ${what}, with nothing of the mail sent`, async () => {
          await using fixture = await openFixture({ tls: { ...tls, isImplicit } }, KNOWN, url('?server_name=localhost'))
          const { outcome, failure } = await fixture.send(ADA)
          assert.equal(outcome, 'failed')
          assert.equal(failure?.class, 'tls')
          assert.match(failure?.message ?? '', message)
          assert.ok(!fixture.sink.lines.some((line) => line.includes('MAIL')))
        })

        it(`takes a certificate ${what} with skip_ssl_verify`, async () => {
          await using fixture = await openFixture({ tls: { ...tls, isImplicit } }, {}, url('?skip_ssl_verify=true'))
          assert.equal((await fixture.send(ADA)).outcome, 'accepted')
        })
      }

      it('refuses a server of TLS 1.1', async () => {
        const tls = { ...RIGHT, isImplicit, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' } as const
        await using fixture = await openFixture({ tls }, KNOWN, url('?skip_ssl_verify=true'))
        const { outcome, failure } = await fixture.send(ADA)
        assert.equal(outcome, 'failed')
        assert.equal(failure?.class, 'tls')
        assert.match(failure?.message ?? '', /no TLS of version 1\.2 or later/)
        assert.equal(fixture.sink.mails.length, 0)
      })
    })
  }

  for (const [what, script, message] of [
    ['does not offer STARTTLS', {}, /does not offer STARTTLS.*disable_starttls/],
    [
      'refuses STARTTLS',
      { tls: RIGHT, answer: (command: string) => (command === 'STARTTLS' ? '454 4.7.0 Not now' : undefined) },
      /refused STARTTLS with 454 4\.7\.0/,
    ],
    [
      'says more than it should before TLS',
      {
        tls: RIGHT,
        answer: (command: string) => (command === 'STARTTLS' ? '220 Ready\r\n250 injected' : undefined),
      },
      /tampering/,
    ],
  ] as const satisfies readonly (readonly [string, SinkScript, RegExp])[]) {
    it(`never goes on in clear when the server ${what}`, async () => {
      await using fixture = await openFixture(script, KNOWN, 'smtp://u:p@127.0.0.1:PORT/')
      const { outcome, failure } = await fixture.send(ADA)
      assert.equal(outcome, 'failed')
      assert.equal(failure?.class, 'tls')
      assert.match(failure?.message ?? '', message)
      assert.ok(!fixture.sink.lines.some((line) => /MAIL|AUTH/.test(line)))
    })
  }

  it('takes a server that knows no EHLO for one without STARTTLS', async () => {
    const script = { tls: RIGHT, answer: (command: string) => (command === 'EHLO' ? '502 5.5.1 What?' : undefined) }
    await using fixture = await openFixture(script, KNOWN, 'smtp://127.0.0.1:PORT/')
    assert.match((await fixture.send(ADA)).failure?.message ?? '', /does not offer STARTTLS/)
    assert.deepEqual(fixture.sink.lines, ['1 EHLO client.example.org', '1 HELO client.example.org'])
  })

  it('trusts the authorities of NODE_EXTRA_CA_CERTS, as its refusal suggests', async () => {
    await using sink = await openSmtpSink({ tls: { ...RIGHT, isImplicit: true } })
    const folder = mkdtempSync(join(tmpdir(), 'postrider-authority-'))
    const file = join(folder, 'authority.pem')
    writeFileSync(file, AUTHORITY.cert)
    const uri = `smtps://127.0.0.1:${sink.port}/?server_name=localhost`
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: file }
    const { stdout } = await execute(process.execPath, [SEND_ONE, uri], { env })
    rmSync(folder, { recursive: true })
    assert.equal(stdout.trim(), 'accepted')
    assert.equal(sink.mails.length, 1)
  })

  it('stays in clear with disable_starttls, also where TLS is offered', async () => {
    await using fixture = await openFixture({ tls: RIGHT })
    const { outcome, peer } = await fixture.send(ADA)
    assert.equal(outcome, 'accepted')
    assert.equal(peer?.tls, undefined)
    assert.ok(!fixture.sink.lines.some((line) => line.includes('STARTTLS')))
  })

  it('says what to change when the port does not speak TLS from the start', async () => {
    await using fixture = await openFixture({}, {}, 'smtps://127.0.0.1:PORT/')
    const { failure } = await fixture.send(ADA)
    assert.equal(failure?.class, 'tls')
    assert.match(failure?.message ?? '', /smtp:\/\/ instead of smtps:\/\//)
  })

  describe('logging in', () => {
    const [user, password] = ['ada@example.org', 'p@ss:wörd+/%']
    const uri = (given: string): string =>
      `smtp://${encodeURIComponent(user)}:${encodeURIComponent(given)}@127.0.0.1:PORT/?skip_ssl_verify=true`

    for (const mechanisms of [['PLAIN'], ['LOGIN'], ['CRAM-MD5'], ['XOAUTH2', 'LOGIN', 'PLAIN']]) {
      it(`works where ${mechanisms.join(' ')} is offered, and keeps the secret out of the conversation`, async () => {
        const script = { tls: SELF_SIGNED, auth: { user, password, mechanisms } }
        await using fixture = await openFixture(script, {}, uri(password))
        assert.equal((await fixture.send(ADA)).outcome, 'accepted')

        await using refused = await openFixture(script, {}, uri('wrong-secret'))
        const { outcome, failure, reply, conversation } = await refused.send(ADA)
        assert.equal(outcome, 'failed')
        assert.equal(failure?.class, 'auth')
        assert.equal(failure?.command, 'AUTH')
        assert.deepEqual([reply?.code, reply?.enhanced], [535, '5.7.8'])
        assert.match(failure?.message ?? '', /refused the login with 535 5\.7\.8: check user and password/)
        const shown = JSON.stringify([failure, conversation])
        for (const secret of ['wrong-secret', Buffer.from('wrong-secret').toString('base64').slice(0, 12)]) {
          assert.ok(!shown.includes(secret))
        }
        assert.ok(!refused.sink.lines.some((line) => line.includes('MAIL')))
      })
    }

    for (const [what, auth, offer] of [
      ['nothing', undefined, 'no login'],
      ['only what we have not', { user, password, mechanisms: ['XOAUTH2', 'NTLM'] }, 'only XOAUTH2, NTLM'],
    ] as const) {
      it(`fails as auth where ${what} is offered, rather than sending without`, async () => {
        const script = { tls: SELF_SIGNED, ...(auth && { auth }) }
        await using fixture = await openFixture(script, {}, uri(password))
        const { outcome, failure } = await fixture.send(ADA)
        assert.equal(outcome, 'failed')
        assert.equal(failure?.class, 'auth')
        assert.match(failure?.message ?? '', new RegExp(`offers ${offer}`))
        assert.ok(!fixture.sink.lines.some((line) => line.includes('MAIL')))
      })
    }

    it('works in clear where the URI asks for that', async () => {
      const script = { auth: { user, password, mechanisms: ['PLAIN'] } }
      const clear = uri(password).replace('skip_ssl_verify', 'disable_starttls')
      await using fixture = await openFixture(script, {}, clear)
      assert.equal((await fixture.send(ADA)).outcome, 'accepted')
    })
  })
})
