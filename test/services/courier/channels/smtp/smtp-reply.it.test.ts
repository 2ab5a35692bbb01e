/** What servers say, and when they say it. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openChannel, openFixture, outgoingMail, sendBy } from './smtp-fixture.ts'

const ADA = 'ada@example.org'

describe('replies of a server', () => {
  it('may have many lines, of which the first has the enhanced code and all are kept', async () => {
    const lines = ['550-5.1.1 The mailbox does not exist.', '550-5.1.1 Check the spelling', '550 5.1.1 or ask']
    await using fixture = await openFixture({
      greeting: '220-sink\r\n220-welcomes\r\n220 you',
      answer: (command) => (command === 'RCPT' ? lines.join('\r\n') : undefined),
    })
    const { failure, reply, conversation } = await fixture.send(ADA)
    assert.equal(failure?.class, 'permanent_recipient')
    assert.equal(failure?.enhancedCode, '5.1.1')
    assert.equal(reply?.text, lines.map((line) => line.slice(4)).join('\n'))
    assert.ok(conversation?.includes('S: 220 welcomes'))
    assert.ok(conversation?.includes('S: 550 5.1.1 Check the spelling'))
    assert.equal((await fixture.send('grace@example.org')).reply?.code, 550)
    assert.equal(fixture.sink.connections(), 1, 'the two stay in step')
  })

  for (const encoding of ['utf8', 'latin1'] as const) {
    it(`may be in ${encoding}`, async () => {
      // The sink writes each character as one byte.
      const said = Buffer.from('550 5.1.1 Empfänger für später', encoding).toString('latin1')
      await using fixture = await openFixture({ answer: (command) => (command === 'RCPT' ? said : undefined) })
      const { reply, failure } = await fixture.send(ADA)
      assert.equal(reply?.text, '5.1.1 Empfänger für später')
      assert.doesNotMatch(failure?.message ?? '', /Empfänger/, 'the text may name the recipient')
    })
  }

  it('may each take nearly as long as is allowed: every command has a limit of its own', async () => {
    const [limitMs, delayMs] = [1_500, 700]
    await using server = await openSlowServer(delayMs)
    const channel = openChannel(`smtp://127.0.0.1:${server.port}/?disable_starttls=true`, {
      timeouts: {
        greetingMs: limitMs,
        sessionMs: limitMs,
        envelopeMs: limitMs,
        dataMs: limitMs,
        bodyMs: limitMs,
        dotMs: limitMs,
      },
    })
    const { outcome, failure, timings } = await sendBy(channel, outgoingMail(ADA))
    await channel.close()
    assert.equal(outcome, 'accepted', failure?.message)
    assert.ok(timings.sendMs > limitMs, 'longer in all than any one may take')
  })
})

/** Answers every command `delayMs` late. */
async function openSlowServer(delayMs: number): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.write('220 slow\r\n')
    socket.on('data', async (chunk) => {
      const text = chunk.toString()
      if (text.startsWith('QUIT')) return void socket.end('221 Bye\r\n')
      await sleep(delayMs)
      socket.write(text.startsWith('DATA') ? '354 Go\r\n' : '250 Ok\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
