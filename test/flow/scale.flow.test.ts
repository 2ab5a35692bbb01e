/** Several couriers and relays: nothing lost, nothing twice; and with processes killed, nothing lost and twice only from the send window. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'

const MESSAGES = 5_000
const CALL = 500

describe('three couriers and two relays', () => {
  it(`send ${MESSAGES} messages once each`, { timeout: 240_000 }, async () => {
    await using run = await openRun()
    const ids = await enqueueAll(run.system)
    await allSent(run.system, 120_000)
    assert.equal(new Set(run.sink.messageIds()).size, MESSAGES)
    assert.equal(run.sink.messageIds().length, MESSAGES, 'no mail twice')
    assert.deepEqual(new Set(run.sink.messageIds().map(idOf)), new Set(ids))
  })

  it('lose nothing when a courier, a relay and the projector are killed', { timeout: 300_000 }, async (t) => {
    await using run = await openRun()
    const { system, sink } = run
    const ids = await enqueueAll(system)
    await waitFor(async () => sink.messageIds().length > MESSAGES / 10, {
      timeoutMs: 60_000,
      message: 'nothing arrives',
    })
    await system.kill('courier', 'SIGKILL', 1)
    await system.kill('relay', 'SIGKILL', 0)
    await system.kill('projector', 'SIGKILL')
    await allSent(system, 60_000)
    const received = sink.messageIds()
    assert.deepEqual(new Set(received.map(idOf)), new Set(ids))
    const twice = received.length - MESSAGES
    t.diagnostic(`${twice} of ${MESSAGES} sent twice, from the send window of the killed courier`)
    assert.ok(twice <= 400, 'no more than one courier had between claim and conclusion')
  })
})

interface Run {
  readonly system: System
  readonly sink: SmtpSink
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

async function openRun(): Promise<Run> {
  const port = await freePort()
  const sink = await openSmtpSink({ port })
  const system = await openSystem({
    scale: 'courier=3,relay=2',
    env: { COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${port}/?disable_starttls=true` },
  })
  return {
    system,
    sink,
    [Symbol.asyncDispose]: async () => {
      await system[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
    },
  }
}

async function enqueueAll(system: System): Promise<string[]> {
  const ids: string[] = []
  for (let first = 0; first < MESSAGES; first += CALL) {
    const messages = Array.from({ length: CALL }, (_, index) => ({
      recipient: `user-${first + index}@example.org`,
      template_type: 'stub',
      template_data: { subject: `Number ${first + index}`, body: 'A line of text.\n' },
    }))
    const { status, body } = await system.request('POST', `${system.console}/admin/courier/messages`, messages)
    assert.equal(status, 202)
    ids.push(...body.map(({ id }: { id: string }) => id))
  }
  assert.equal(new Set(ids).size, MESSAGES)
  return ids
}

async function allSent(system: System, timeoutMs: number): Promise<void> {
  await using database = openDatabase({ url: system.databaseUrl, applicationName: 'count' })
  await waitFor(
    async () => {
      const { rows } = await database.query<{ state: string; count: number }>({
        text: 'select state, count(*) from console.message group by state',
      })
      const counts = Object.fromEntries(rows.map(({ state, count }) => [state, count]))
      if (counts.sent !== MESSAGES) throw new Error(JSON.stringify(counts))
      return true
    },
    { timeoutMs, message: 'not every message is sent' },
  )
}

function idOf(messageId: string): string {
  return messageId.replace(/^</, '').split('@')[0] ?? ''
}
