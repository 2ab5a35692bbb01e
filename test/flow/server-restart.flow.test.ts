/** PostgreSQL and Kafka die under load and come back: nothing is lost, and twice goes only what was between dot and conclusion. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'

const MESSAGES = 3_000
const CALL = 500
/** Sends under way at one instant, of one courier. */
const MOST_TWICE = 20

describe('a server that is killed under load', () => {
  let system: System
  let sink: SmtpSink
  before(async () => {
    const port = await freePort()
    sink = await openSmtpSink({ port })
    system = await openSystem({
      embedded: true,
      env: { COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${port}/?disable_starttls=true` },
    })
  })
  after(async () => {
    await system?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
  })

  for (const server of ['postgres', 'kafka']) {
    it(`loses nothing when it is ${server}`, { timeout: 180_000 }, async (t) => {
      const ids = await enqueueAll(system, server)
      const before = sink.accepted()
      const received = () => sink.messageIds().map(idOf)
      await waitFor(() => sink.accepted() > before + MESSAGES / 20, { timeoutMs: 60_000, message: 'nothing arrives' })
      await system.kill(server, 'SIGKILL')

      const wanted = new Set(ids)
      await waitFor(() => wanted.isSubsetOf(new Set(received())), { timeoutMs: 120_000, message: 'mails are missing' })
      await allSent(system, ids)
      const twice = received().filter((id) => wanted.has(id)).length - MESSAGES
      t.diagnostic(`${twice} of ${MESSAGES} sent twice`)
      assert.ok(twice <= MOST_TWICE, `${twice} sent twice`)
    })
  }
})

async function enqueueAll(system: System, name: string): Promise<string[]> {
  const ids: string[] = []
  for (let first = 0; first < MESSAGES; first += CALL) {
    const messages = Array.from({ length: CALL }, (_, index) => ({
      recipient: `${name}-${first + index}@example.org`,
      template_type: 'stub',
      template_data: { subject: `Number ${first + index}`, body: 'A line of text.\n' },
    }))
    const { status, body } = await system.request('POST', `${system.console}/admin/courier/messages`, messages)
    assert.equal(status, 202)
    ids.push(...body.map(({ id }: { id: string }) => id))
  }
  return ids
}

async function allSent(system: System, ids: readonly string[]): Promise<void> {
  await waitFor(
    async () => {
      await using database = openDatabase({ url: system.databaseUrl, applicationName: 'count' })
      const { rows } = await database.query<{ state: string; count: number }>({
        text: 'select state, count(*) from console.message where id = any($1::uuid[]) group by state',
        values: [ids],
      })
      const counts = Object.fromEntries(rows.map(({ state, count }) => [state, count]))
      if (counts.sent !== ids.length) throw new Error(JSON.stringify(counts))
      return true
    },
    { timeoutMs: 120_000, message: 'not every message is sent' },
  )
}

function idOf(messageId: string): string {
  return messageId.replace(/^</, '').split('@')[0] ?? ''
}
