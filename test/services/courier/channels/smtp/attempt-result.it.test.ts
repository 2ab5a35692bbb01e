import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { describe, it } from 'node:test'
import { setTimeout as afterMs } from 'node:timers/promises'
import { openGuard } from '#libs/resources'
import { freePort } from '../../../../support/servers.ts'
import { assertPhases } from '../phases.ts'
import { selfSigned } from './certificates.ts'
import { openChannel, openFixture, outgoingMail, sendBy } from './smtp-fixture.ts'

const ADA = 'ada@example.org'
const IN_CLEAR = 'smtp://127.0.0.1:PORT/?disable_starttls=true'
const DIALOGUE = ['mail', 'data', 'dot']
const SLOW_MS = 30

/** Every name is this machine, after a while. */
const slowNames = openGuard({
  disallowPrivate: false,
  resolve: (_name, options, callback) => {
    const found: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }]
    afterMs(SLOW_MS).then(() => (options.all ? callback(null, found) : callback(null, '127.0.0.1', 4)))
  },
})

describe('the phases of a try over SMTP', () => {
  it('are those of the connection and of the dialogue', async () => {
    await using fixture = await openFixture()
    const attempt = await fixture.send(ADA)
    assertPhases(attempt, ['tcp', 'auth', ...DIALOGUE])
  })

  it('are those of the dialogue alone where the connection was open', async () => {
    await using fixture = await openFixture()
    await fixture.send(ADA)
    const attempt = await fixture.send(ADA)
    assert.equal(attempt.reused, true)
    assertPhases(attempt, DIALOGUE)
  })

  it('take several round trips without pipelining, and are the same', async () => {
    await using fixture = await openFixture({ extensions: [] })
    assertPhases(await fixture.send(ADA), ['tcp', 'auth', ...DIALOGUE])
  })

  for (const [what, isImplicit, uri] of [
    ['from the start', true, 'smtps://ada:secret@127.0.0.1:PORT/?skip_ssl_verify=true'],
    ['after STARTTLS', false, 'smtp://ada:secret@127.0.0.1:PORT/?skip_ssl_verify=true'],
  ] as const) {
    it(`have TLS ${what}`, async () => {
      const auth = { user: 'ada', password: 'secret', mechanisms: ['PLAIN'] }
      await using fixture = await openFixture({ tls: { ...selfSigned('127.0.0.1'), isImplicit }, auth }, {}, uri)
      const attempt = await fixture.send(ADA)
      assert.equal(attempt.outcome, 'accepted')
      assertPhases(attempt, ['tcp', 'tls', 'auth', ...DIALOGUE])
      assertPhases(await fixture.send(ADA), DIALOGUE)
    })
  }

  it('have the look-up of a name, and tell it from the connection', async () => {
    await using fixture = await openFixture({}, { guard: slowNames }, IN_CLEAR.replace('127.0.0.1', 'mail.example.org'))
    const attempt = await fixture.send(ADA)
    assert.equal(attempt.outcome, 'accepted')
    assertPhases(attempt, ['dns', 'tcp', 'auth', ...DIALOGUE])
    assert.ok((attempt.timings.phases?.dns ?? 0) >= SLOW_MS - 1)
  })

  it('end where the try ended', async () => {
    const nowhere = openChannel('smtp://nowhere.invalid:25/?disable_starttls=true')
    assertPhases(await sendBy(nowhere, outgoingMail(ADA)), ['dns'])
    await nowhere.close()

    const silent = openChannel(IN_CLEAR.replace('PORT', String(await freePort())))
    assertPhases(await sendBy(silent, outgoingMail(ADA)), ['tcp'])
    await silent.close()

    await using unsafe = await openFixture({}, {}, 'smtps://127.0.0.1:PORT/')
    assertPhases(await unsafe.send(ADA), ['tcp', 'tls'])

    await using unwelcome = await openFixture({ greeting: '554 5.7.1 Not you' })
    assertPhases(await unwelcome.send(ADA), ['tcp', 'auth'])

    await using fixture = await openFixture({}, { timeouts: { dataMs: 50, dotMs: 50 } })
    assertPhases(await fixture.send('stall-data@example.org'), ['tcp', 'auth', 'mail', 'data'])
    await fixture.send(ADA)
    assertPhases(await fixture.send('stall-after-dot@example.org'), DIALOGUE)
  })

  it('are none where nothing reached the wire', async () => {
    await using fixture = await openFixture()
    assertPhases(await fixture.send('no address'), [])
    assert.equal(fixture.sink.connections(), 0)
  })

  it('belong to the part that took the time', async () => {
    const slow = { answer: (command: string) => (command === 'DOT' ? '' : undefined) }
    await using fixture = await openFixture(slow, { timeouts: { dotMs: SLOW_MS } })
    const { timings } = await fixture.send(ADA)
    assert.ok((timings.phases?.dot ?? 0) >= SLOW_MS - 1, 'the answer that never came is waited for in dot')
  })
})
