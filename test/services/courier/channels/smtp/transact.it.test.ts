import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import type { FailureClass, Outcome } from '#libs/delivery'
import type { AttemptResult } from '../../../../../services/courier/channels/channel.ts'
import type { SmtpChannelOptions } from '../../../../../services/courier/channels/smtp/smtp-options.ts'
import type { SinkScript } from '../../../../support/smtp-sink.ts'
import { openChannel, openFixture, outgoingMail, sendBy } from './smtp-fixture.ts'

const ADA = 'ada@example.org'
const WITHOUT_PIPELINING = { extensions: ['8BITMIME', 'ENHANCEDSTATUSCODES'] }
const IMPATIENT: Partial<SmtpChannelOptions> = {
  timeouts: { greetingMs: 100, sessionMs: 100, envelopeMs: 100, dataMs: 100, bodyMs: 100, dotMs: 100 },
}

/** Answers one command with a line. */
function answering(command: string, line: string): SinkScript {
  return { answer: (asked) => (asked === command ? line : undefined) }
}

interface Expected {
  readonly failureClass: FailureClass
  readonly outcome?: Outcome
  readonly code?: number
  readonly command?: string
  readonly message: RegExp
}

interface Case {
  readonly script?: SinkScript
  readonly recipient?: string
  readonly options?: Partial<SmtpChannelOptions>
  readonly expected: Expected
}

const FAILURES: Record<string, Case> = {
  'a greeting of 554': {
    script: { greeting: '554 5.7.1 Go away' },
    expected: {
      failureClass: 'channel_refused',
      code: 554,
      command: 'CONNECT',
      message: /refused the session with 554/,
    },
  },
  'no greeting': {
    script: { greeting: null },
    options: IMPATIENT,
    expected: { failureClass: 'network', command: 'CONNECT', message: /says nothing: .*smtps/ },
  },
  'a greeting cut off': {
    script: answering('OPEN', 'CLOSE'),
    expected: { failureClass: 'network', command: 'CONNECT', message: /closed the connection/ },
  },
  'a greeting in another language': {
    script: { greeting: 'SSH-2.0-OpenSSH_9.6' },
    expected: { failureClass: 'network', command: 'CONNECT', message: /does not speak SMTP/ },
  },
  'EHLO and HELO refused': {
    script: { answer: (command) => (command === 'EHLO' || command === 'HELO' ? '550 5.7.1 No' : undefined) },
    expected: { failureClass: 'channel_refused', code: 550, command: 'EHLO', message: /refused the session/ },
  },
  'MAIL answered 530': {
    script: answering('MAIL', '530 5.7.0 Authentication required'),
    expected: { failureClass: 'auth', code: 530, command: 'MAIL', message: /check user and password/ },
  },
  'MAIL answered 452': {
    script: answering('MAIL', '452 4.3.1 Out of space'),
    expected: { failureClass: 'transient_remote', code: 452, command: 'MAIL', message: /452 4\.3\.1/ },
  },
  'MAIL answered 421 on a new connection': {
    script: answering('MAIL', '421 4.3.2 Closing'),
    expected: { failureClass: 'transient_remote', code: 421, command: 'MAIL', message: /421/ },
  },
  'MAIL never answered': {
    script: answering('MAIL', ''),
    options: IMPATIENT,
    expected: { failureClass: 'network', command: 'MAIL', message: /wait too long.*reply to MAIL/ },
  },
  'an unknown recipient': {
    recipient: 'reject-550@example.org',
    expected: { failureClass: 'permanent_recipient', code: 550, command: 'RCPT', message: /550 5\.1\.1/ },
  },
  'a deferred recipient': {
    recipient: 'defer-451@example.org',
    expected: { failureClass: 'transient_remote', code: 451, command: 'RCPT', message: /451 4\.3\.0/ },
  },
  'a greylisted recipient': {
    script: answering('RCPT', '451 4.7.1 Greylisted, try again in 300 seconds'),
    expected: { failureClass: 'greylisted', code: 451, command: 'RCPT', message: /come back later/ },
  },
  '421 in the middle': {
    recipient: '421-mid@example.org',
    expected: { failureClass: 'transient_remote', code: 421, command: 'RCPT', message: /421 4\.4\.2/ },
  },
  'DATA answered 451': {
    script: answering('DATA', '451 4.3.0 Not now'),
    expected: { failureClass: 'transient_remote', code: 451, command: 'DATA', message: /refused to take the mail/ },
  },
  'DATA never answered': {
    recipient: 'stall-data@example.org',
    options: IMPATIENT,
    expected: { failureClass: 'network', command: 'DATA', message: /wait too long/ },
  },
  'the mail refused as spam': {
    script: answering('DOT', '554 5.7.1 Spam'),
    expected: { failureClass: 'permanent_content', code: 554, command: 'DOT', message: /SPF, DKIM/ },
  },
  'the connection closed after the dot': {
    recipient: 'close-after-dot@example.org',
    expected: { failureClass: 'ambiguous', outcome: 'unknown', command: 'DOT', message: /may have been delivered/ },
  },
  'no answer after the dot': {
    recipient: 'stall-after-dot@example.org',
    options: IMPATIENT,
    expected: { failureClass: 'ambiguous', outcome: 'unknown', command: 'DOT', message: /may have been delivered/ },
  },
}

function assertFailed(attempt: AttemptResult, expected: Expected, recipient: string): void {
  const { failure } = attempt
  assert.equal(attempt.outcome, expected.outcome ?? 'failed')
  assert.equal(failure?.class, expected.failureClass)
  assert.equal(failure?.replyCode, expected.code)
  assert.equal(attempt.reply?.code, expected.code)
  assert.equal(failure?.command, expected.command)
  assert.match(failure?.message ?? '', expected.message)
  assert.match(failure?.message ?? '', /^127\.0\.0\.1:\d+ /, 'names the server')
  assert.ok(!failure?.message.includes(recipient), 'does not name the recipient')
}

describe('transact', () => {
  for (const [what, { script = {}, recipient = ADA, options, expected }] of Object.entries(FAILURES)) {
    for (const [way, extensions] of [
      ['in a group', undefined],
      ['one by one', WITHOUT_PIPELINING.extensions],
    ] as const) {
      it(`takes ${what} as ${expected.failureClass}, commands ${way}`, async () => {
        await using fixture = await openFixture({ ...(extensions && { extensions }), ...script }, options)
        assertFailed(await fixture.send(recipient), expected, recipient)
        assert.equal(fixture.channel.free, 1)
      })
    }
  }

  it('tells when the server wants the mail again', async () => {
    await using fixture = await openFixture(answering('RCPT', '451 4.7.1 Greylisted, try again in 300 seconds'))
    assert.equal((await fixture.send(ADA)).failure?.retryAfterMs, 300_000)
  })

  it('sends MAIL, RCPT and DATA in one segment only where the server takes that', async () => {
    for (const [greeting, segments] of [
      ['250-relay\r\n250 PIPELINING\r\n', 1],
      ['250 relay\r\n', 3],
    ] as const) {
      await using server = await openRawServer(greeting)
      const channel = openChannel(`smtp://127.0.0.1:${server.port}/?disable_starttls=true`)
      assert.equal((await sendBy(channel, outgoingMail(ADA))).outcome, 'accepted')
      assert.equal(server.envelopeSegments(), segments)
      await channel.close()
    }
  })

  for (const [way, script] of [
    ['in a group', {}],
    ['one by one', WITHOUT_PIPELINING],
  ] as const) {
    it(`keeps the connection after a refused recipient, by RSET, commands ${way}`, async () => {
      await using fixture = await openFixture(script)
      const outcomes: string[] = []
      for (let index = 0; index < 100; index++) {
        const { outcome } = await fixture.send(`${index % 10 === 0 ? 'reject-550' : 'user'}-${index}@example.org`)
        outcomes.push(outcome)
      }
      assert.equal(outcomes.filter((outcome) => outcome === 'failed').length, 10)
      assert.equal(fixture.sink.mails.length, 90)
      assert.equal(fixture.sink.connections(), 1)
      assert.equal(fixture.sink.lines.filter((line) => line === '1 RSET').length, 10)
    })
  }

  it('ends with a lone dot when DATA is taken without a recipient, and the next mail is whole', async () => {
    await using fixture = await openFixture({
      answer: (command, _, { recipients }) =>
        command === 'DATA' && recipients.length === 0 ? '354 Whatever' : undefined,
    })
    const refused = await fixture.send('reject-550@example.org')
    assert.equal(refused.failure?.class, 'permanent_recipient')
    assert.equal((await fixture.send(ADA)).outcome, 'accepted')
    assert.deepEqual(
      fixture.sink.mails.map(({ to }) => to),
      [ADA],
    )
    assert.equal(fixture.sink.connections(), 1)
  })

  it('sends to letters beyond ASCII where the server takes them, else refuses', async () => {
    await using able = await openFixture()
    assert.equal((await able.send('jürgen@example.org')).outcome, 'accepted')
    assert.equal(able.sink.mails[0]?.to, 'jürgen@example.org')
    assert.match(able.sink.mails[0]?.raw ?? '', /^To: jürgen@example\.org\r$/m)
    assert.match(able.sink.lines[1] ?? '', / BODY=8BITMIME SMTPUTF8$/)

    await using unable = await openFixture(WITHOUT_PIPELINING)
    assert.equal((await unable.send('jürgen@example.org')).failure?.class, 'permanent_recipient')
    assert.equal((await unable.send(ADA)).outcome, 'accepted')
    assert.equal(unable.sink.lines.filter((line) => line.includes('MAIL')).length, 1)
  })

  it('does not begin a mail that is larger than the server takes', async () => {
    await using fixture = await openFixture({ extensions: ['PIPELINING', 'SIZE 2000'] })
    const { failure } = await fixture.send(ADA, { text: 'x\n'.repeat(2_000) })
    assert.equal(failure?.class, 'permanent_content')
    assert.match(failure?.message ?? '', /takes 2000/)
    assert.equal((await fixture.send(ADA)).outcome, 'accepted')
    assert.equal(fixture.sink.lines.filter((line) => line.includes('MAIL')).length, 1)
  })

  it('doubles dots, so that the mail arrives as it was written', async () => {
    await using fixture = await openFixture()
    const text = '.\n..\n.hidden\nend\n.\n'
    await fixture.send(ADA, { text })
    await fixture.send(ADA)
    assert.equal(fixture.sink.mails.length, 2)
    assert.ok(fixture.sink.mails[0]?.raw.endsWith(`\r\n\r\n${text.replaceAll('\n', '\r\n')}`))
  })

  it('sends 10 MB, and knows that a mail cut off in its middle has not arrived', async () => {
    await using fixture = await openFixture()
    const text = `${'x'.repeat(70)}\n`.repeat(150_000)
    const cut = await fixture.send('close-mid-body@example.org', { text })
    assert.equal(cut.outcome, 'failed')
    assert.equal(cut.failure?.class, 'transient_remote')
    assert.match(cut.failure?.message ?? '', /while the mail was being sent/)
    assert.equal((await fixture.send(ADA, { text })).outcome, 'accepted')
    assert.ok(fixture.sink.mails[0]?.raw.endsWith(`\r\n\r\n${text.replaceAll('\n', '\r\n')}`))
  })

  it('ends a try at the deadline of the mail, whatever the timeouts', async () => {
    await using fixture = await openFixture()
    const { outcome } = await fixture.send('stall-after-dot@example.org', { deadline: Date.now() + 100 })
    assert.equal(outcome, 'unknown')
  })

  it('sends to a recipient that was deferred, over the same connection', async () => {
    await using fixture = await openFixture()
    const outcomes: string[] = []
    for (let attempt = 1; attempt <= 4; attempt++) {
      outcomes.push((await fixture.send('defer-3-then-ok@example.org')).outcome)
    }
    assert.deepEqual(outcomes, ['failed', 'failed', 'failed', 'accepted'])
    assert.equal(fixture.sink.connections(), 1)
  })

  it('keeps the lines of a failed dialogue', async () => {
    await using fixture = await openFixture()
    const { conversation } = await fixture.send('reject-550@example.org')
    assert.ok(conversation?.includes('C: EHLO client.example.org'))
    assert.ok(conversation?.includes('C: RCPT TO:<reject-550@example.org>'))
    assert.ok(conversation?.includes('S: 550 5.1.1 No such user'))
    assert.equal((await fixture.send(ADA)).conversation, undefined)
    const cut = await fixture.send('close-after-dot@example.org')
    assert.deepEqual(cut.conversation?.slice(-2), ['S: 354 Go ahead', 'C: (the mail)'])
  })
})

/** Counts in how many segments MAIL to DATA arrive; the sink works on bytes and cannot tell. */
async function openRawServer(
  hello: string,
): Promise<AsyncDisposable & { port: number; envelopeSegments: () => number }> {
  let segments = 0
  const server = createServer((socket) => {
    socket.write('220 relay\r\n')
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      const text = chunk.toString()
      if (text.startsWith('EHLO')) return socket.write(hello)
      if (text.startsWith('QUIT')) return socket.end('221 Bye\r\n')
      if (text.endsWith('\r\n.\r\n')) return socket.write('250 Ok\r\n')
      segments++
      const answers = text.trimEnd().split('\r\n')
      return socket.write(answers.map((line) => (line === 'DATA' ? '354 Go\r\n' : '250 Ok\r\n')).join(''))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    envelopeSegments: () => segments,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
