import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as afterMs } from 'node:timers/promises'
import type { SmtpChannelOptions } from '../../../../../services/courier/channels/smtp/smtp-options.ts'
import { freePort, waitFor } from '../../../../support/servers.ts'
import type { SinkScript } from '../../../../support/smtp-sink.ts'
import { openChannel, openFixture, outgoingMail, sendBy } from './smtp-fixture.ts'

const ADA = 'ada@example.org'
const IMPATIENT: Partial<SmtpChannelOptions> = {
  timeouts: { greetingMs: 100, sessionMs: 100, envelopeMs: 100, dataMs: 100, bodyMs: 100, dotMs: 100 },
}

/** Answers one command with a line. */
function answering(command: string, line: string): SinkScript {
  return { answer: (asked) => (asked === command ? line : undefined) }
}

describe('openSmtpChannel', () => {
  it('says in words that nobody listens', async () => {
    const port = await freePort()
    const channel = openChannel(`smtp://127.0.0.1:${port}/?disable_starttls=true`)
    const { outcome, failure, timings } = await sendBy(channel, outgoingMail(ADA))
    assert.equal(outcome, 'failed')
    assert.equal(failure?.class, 'network')
    assert.match(failure?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${port} refused the connection`))
    assert.ok(timings.connectMs !== undefined)
    await channel.close()
  })

  it('says in words that the host is unknown', async () => {
    const channel = openChannel('smtp://nowhere.invalid:25/?disable_starttls=true')
    const { failure } = await sendBy(channel, outgoingMail(ADA))
    assert.equal(failure?.class, 'network')
    assert.match(failure?.message ?? '', /nowhere\.invalid:25 cannot be (found in DNS|looked up)/)
    await channel.close()
  })

  it('sends several mails over one connection, in one group each', async () => {
    await using fixture = await openFixture()
    const first = await fixture.send(ADA)
    const second = await fixture.send('grace@example.org')
    assert.deepEqual([first.outcome, second.outcome], ['accepted', 'accepted'])
    assert.deepEqual([first.reused, second.reused], [false, true])
    assert.ok(first.timings.connectMs !== undefined && second.timings.connectMs === undefined)
    assert.equal(second.providerMessageId, '1.2')
    assert.deepEqual(second.reply, { code: 250, enhanced: '2.0.0', command: 'DOT', text: '2.0.0 Ok: queued as 1.2' })
    assert.deepEqual(second.peer, { host: '127.0.0.1', port: fixture.sink.port, address: '127.0.0.1' })
    assert.equal(fixture.sink.connections(), 1)
    assert.deepEqual(
      fixture.sink.mails.map(({ from, to }) => [from, to]),
      [
        ['no-reply@example.org', ADA],
        ['no-reply@example.org', 'grace@example.org'],
      ],
    )
    assert.match(fixture.sink.lines[1] ?? '', /^1 MAIL FROM:<no-reply@example\.org> SIZE=\d+$/)
  })

  it('falls back to HELO', async () => {
    await using fixture = await openFixture(answering('EHLO', '502 5.5.1 Not implemented'))
    assert.equal((await fixture.send(ADA)).outcome, 'accepted')
    assert.ok(fixture.sink.lines.includes('1 HELO client.example.org'))
  })

  it('opens another connection at once when a kept one turns out dead', async () => {
    await using fixture = await openFixture(answering('MAIL', ''), IMPATIENT)
    await using lively = await openFixture({
      answer: (command, _, { number, mails }) =>
        command === 'MAIL' && number === 1 && mails > 0 ? 'CLOSE' : undefined,
    })
    await lively.send(ADA)
    const attempt = await lively.send(ADA)
    assert.equal(attempt.outcome, 'accepted')
    assert.equal(attempt.reused, false)
    assert.equal(lively.sink.connections(), 2)
    assert.equal((await fixture.send(ADA)).failure?.class, 'network')
    assert.equal(fixture.sink.connections(), 1, 'a new connection is not tried twice')
  })

  it('opens another connection at once when the server has had enough of this one', async () => {
    await using fixture = await openFixture({ mailsPerSession: 5 })
    for (let index = 0; index < 12; index++) assert.equal((await fixture.send(ADA)).outcome, 'accepted')
    assert.equal(fixture.sink.connections(), 3)
    assert.equal(fixture.sink.mails.length, 12)
  })

  it('leaves a connection after its share of mails, and one that grew old', async () => {
    for (const options of [{ maxMessagesPerConnection: 1 }, { maxConnectionAgeMs: 0 }]) {
      await using fixture = await openFixture({}, options)
      await fixture.send(ADA)
      await fixture.send(ADA)
      assert.equal(fixture.sink.connections(), 2)
      await waitFor(() => fixture.sink.lines.includes('1 QUIT'))
    }
  })

  it('leaves a connection after 1,000 mails unless told otherwise', async () => {
    await using fixture = await openFixture()
    for (let mail = 0; mail < 1_001; mail++) assert.equal((await fixture.send(ADA)).outcome, 'accepted')
    assert.equal(fixture.sink.connections(), 2)
    assert.equal(fixture.sink.lines.filter((line) => line.startsWith('1 MAIL')).length, 1_000)
    await waitFor(() => fixture.sink.lines.includes('1 QUIT'))
  })

  for (const [what, said] of [
    ['says 421 and leaves', '421 4.4.2 Timeout, closing'],
    ['says 451 for being idle', '451 4.4.2 Timeout waiting for data from client'],
    ['says what nobody asked for', '250 2.0.0 Hello?'],
    ['hangs up', 'CLOSE'],
  ] as const) {
    it(`sends the next mail over another connection when the server ${what} between two`, async () => {
      await using fixture = await openFixture()
      await fixture.send(ADA)
      fixture.sink.sayToAll(said)
      await waitFor(() => fixture.sink.openConnections() === 0)
      const attempt = await fixture.send(ADA)
      assert.equal(attempt.outcome, 'accepted')
      assert.equal(attempt.reused, false)
      assert.equal(fixture.sink.connections(), 2)
      assert.equal(fixture.sink.mails.length, 2)
    })
  }

  it('leaves a connection that was idle for long', async () => {
    await using fixture = await openFixture({}, { idleMs: 20 })
    await fixture.send(ADA)
    await waitFor(() => fixture.sink.lines.includes('1 QUIT') && fixture.sink.openConnections() === 0)
  })

  it('opens no more connections than it may, and tells when a place comes free', async () => {
    await using fixture = await openFixture({}, { maxConnections: 3 })
    const { channel, sink } = fixture
    let freed = 0
    channel.onFree(() => {
      freed++
    })
    for (let round = 0; round < 5; round++) {
      const sent = [1, 2, 3].map(() => fixture.send(ADA))
      assert.equal(channel.free, 0)
      assert.throws(() => channel.send(outgoingMail(ADA), () => undefined), /no place is free/)
      await Promise.all(sent)
      assert.equal(channel.free, 3)
    }
    assert.equal(freed, 5)
    assert.equal(sink.connections(), 3)
  })

  for (const recipient of [
    'mallory@example.org\r\nRCPT TO:<eve@example.org>',
    'mallory@example.org,eve@example.org',
    'mallory@example.org eve@example.org',
    '"mallory@example.org" <eve@example.org>',
    'mallory@example.org>',
    'mallory',
    '',
  ]) {
    it(`refuses ${JSON.stringify(recipient)} with nothing sent`, async () => {
      await using fixture = await openFixture()
      let returned = false
      const attempt = fixture.send(recipient).then((result) => {
        assert.ok(returned, 'never before send has returned')
        return result
      })
      returned = true
      const { outcome, failure } = await attempt
      assert.equal(outcome, 'failed')
      assert.equal(failure?.class, 'permanent_recipient')
      assert.doesNotMatch(failure?.message ?? '', /mallory|eve/)
      assert.equal(fixture.sink.connections(), 0)
    })
  }

  it('writes the domain of the recipient in ASCII', async () => {
    await using fixture = await openFixture()
    await fixture.send('ada@bücher.example')
    assert.equal(fixture.sink.mails[0]?.to, 'ada@xn--bcher-kva.example')
  })

  it('asks again right before MAIL whether the mail is still wanted', async () => {
    await using fixture = await openFixture()
    const unwanted = await fixture.send(ADA, {}, () => false)
    assert.equal(unwanted.outcome, 'failed')
    assert.equal(unwanted.failure?.class, 'expired')
    assert.deepEqual(fixture.sink.lines, ['1 EHLO client.example.org'], 'connected, but said nothing of a mail')
    assert.equal((await fixture.send(ADA, {}, () => true)).outcome, 'accepted')
    assert.equal(fixture.sink.connections(), 1)
  })

  describe('close', () => {
    it('lets a mail under way end, says QUIT, and takes no more', async () => {
      await using fixture = await openFixture({}, { drainMs: 10_000 })
      const { channel, sink } = fixture
      const sending = fixture.send(ADA)
      const closed = channel.close()
      assert.equal(channel.free, 0)
      assert.equal((await sending).outcome, 'accepted')
      await closed
      assert.ok(sink.lines.includes('1 QUIT'))
      await waitFor(() => sink.openConnections() === 0)
      const refused = await sendBy(channel, outgoingMail(ADA))
      assert.equal(refused.failure?.class, 'network')
      assert.equal(sink.connections(), 1)
    })

    it('waits longer where it is told to, and no longer once it is told so', async () => {
      const script = { answer: (command: string) => (command === 'DOT' ? '' : undefined) }
      await using patient = await openFixture(script, { drainMs: 1 })
      const sending = patient.send(ADA)
      await waitFor(() => patient.sink.lines.some((line) => line.includes('DATA')))
      const closed = patient.channel.close(600_000)
      // By then a timer of 1 ms would have ended it.
      await afterMs(5)
      patient.sink.sayToAll('250 2.0.0 Ok')
      assert.equal((await sending).outcome, 'accepted')
      await closed

      await using urgent = await openFixture(script, { drainMs: 1 })
      const cutOff = urgent.send(ADA)
      await waitFor(() => urgent.sink.lines.some((line) => line.includes('DATA')))
      const slowly = urgent.channel.close(600_000)
      await urgent.channel.close()
      await slowly
      assert.equal((await cutOff).outcome, 'unknown')
    })

    it('cuts off what does not end, in every phase, and tells what became of it', async () => {
      for (const [script, recipient, outcome] of [
        [{ greeting: null }, ADA, 'failed'],
        [{}, 'stall-data@example.org', 'failed'],
        [{}, 'stall-after-dot@example.org', 'unknown'],
      ] as const) {
        await using fixture = await openFixture(script, { drainMs: 50 })
        const sending = fixture.send(recipient)
        if (script.greeting !== null) await waitFor(() => fixture.sink.lines.some((line) => line.includes('DATA')))
        await fixture.channel.close()
        assert.equal((await sending).outcome, outcome)
      }
    })
  })

  for (const [what, options] of [
    ['sender', { from: { address: 'no address' } }],
    ['sender with letters beyond ASCII', { from: { address: 'jürgen@example.org' } }],
    ['local name', { localName: 'a\r\nMAIL FROM:<x>' }],
    ['header', { headers: { Bcc: ADA } }],
  ] as const) {
    it(`refuses a ${what} that cannot be used`, () => {
      assert.throws(() => openChannel('smtp://h', options), { code: 'CONFIG_INVALID' })
    })
  }
})
