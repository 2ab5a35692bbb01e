/** For minutes, one process after the other is killed or frozen while mail flows: nothing is lost, and what goes twice is counted. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '#libs/database'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'

const MINUTES = Number(process.env.CHAOS_MINUTES ?? 3)
/** Messages per call, one call after the other, so that something is always under way. */
const CALL = 200
const VICTIMS = ['courier', 'courier', 'relay', 'projector', 'console', 'postgres', 'kafka']
const FREEZE_MS = 8_000
const PAUSE_MS = [2_000, 6_000] as const

describe('random kills', () => {
  it('lose nothing', { timeout: (MINUTES + 8) * 60_000 }, async (t) => {
    const port = await freePort()
    await using sink = await openSmtpSink({ port, lean: true })
    await using system = await openSystem({
      embedded: true,
      scale: 'courier=2,relay=2',
      env: { COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${port}/?disable_starttls=true` },
    })
    const endsAt = Date.now() + MINUTES * 60_000
    const log: string[] = []
    const [ids] = await Promise.all([enqueueUntil(system, endsAt), harmUntil(system, endsAt, log)])
    t.diagnostic(`${ids.length} messages, ${log.length} blows: ${log.join(', ')}`)

    await waitFor(() => sent(system, ids), { timeoutMs: 5 * 60_000, message: 'not every message is sent' })
    const received = sink.messageIds().map((id) => id.slice(1).split('@')[0]!)
    assert.deepEqual(new Set(ids).difference(new Set(received)).size, 0, 'mails that never came')
    t.diagnostic(`${received.length - new Set(received).size} sent twice`)
  })
})

/** A call that fails while a server is away was not accepted, and is made again under the same key. */
async function enqueueUntil(system: System, endsAt: number): Promise<string[]> {
  const ids: string[] = []
  for (let call = 0; Date.now() < endsAt; call++) {
    const messages = Array.from({ length: CALL }, (_, index) => ({
      recipient: `user-${call}-${index}@example.org`,
      template_type: 'stub',
      template_data: { subject: 'Chaos', body: 'A line of text.\n' },
    }))
    const accepted = await waitFor(
      async () => {
        const url = `${system.console}/admin/courier/messages`
        const { status, body } = await system.request('POST', url, messages, { 'idempotency-key': `call-${call}` })
        return status === 202 ? (body as { id: string }[]) : undefined
      },
      { timeoutMs: 120_000, message: 'nothing is accepted' },
    )
    ids.push(...accepted.map(({ id }) => id))
    await sleep(200)
  }
  return ids
}

async function harmUntil(system: System, endsAt: number, log: string[]): Promise<void> {
  while (Date.now() < endsAt) {
    await sleep(PAUSE_MS[0] + Math.random() * (PAUSE_MS[1] - PAUSE_MS[0]))
    const victim = VICTIMS[Math.floor(Math.random() * VICTIMS.length)]!
    const running = (await system.processes()).filter(({ service }) => service === victim)
    const { pid } = running[Math.floor(Math.random() * running.length)] ?? {}
    if (pid === undefined) continue
    const freezes = (victim === 'courier' || victim === 'relay') && Math.random() < 0.3
    log.push(`${freezes ? 'freeze' : 'kill'} ${victim}`)
    process.kill(pid, freezes ? 'SIGSTOP' : 'SIGKILL')
    if (!freezes) continue
    await sleep(FREEZE_MS)
    process.kill(pid, 'SIGCONT')
  }
}

async function sent(system: System, ids: readonly string[]): Promise<boolean> {
  await using database = openDatabase({ url: system.databaseUrl, applicationName: 'count' })
  const { rows } = await database.query<{ state: string; count: number }>({
    text: 'select state, count(*) from console.message where id = any($1::uuid[]) group by state',
    values: [ids],
  })
  const counts = Object.fromEntries(rows.map(({ state, count }) => [state, count]))
  if (counts.sent !== ids.length) throw new Error(JSON.stringify(counts))
  return true
}
