/** A provider that takes so many mails a second: all couriers together keep to it, and nothing is left behind. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink } from '../support/smtp-sink.ts'
import { openSystem } from '../support/system.ts'

const PER_SECOND = 20
/** What an idle bucket keeps: a quarter of a second. */
const BURST = 5
const MAILS = 80

describe('a configured rate', () => {
  it('is kept by two couriers together, for urgent mail and notices', { timeout: 120_000 }, async (t) => {
    const port = await freePort()
    await using sink = await openSmtpSink({ port })
    await using system = await openSystem({
      scale: 'courier=2',
      env: {
        COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${port}/?disable_starttls=true`,
        POSTRIDER_COURIER_RATE: `${PER_SECOND * 60}/1m`,
      },
    })
    const messages = Array.from({ length: MAILS }, (_, index) => ({
      recipient: `user-${index}@example.org`,
      template_type: 'login_code_valid',
      template_data: { login_code: '123456' },
      lane: index % 2 === 0 ? 'urgent' : 'notice',
    }))
    const startedMs = performance.now()
    const { status } = await system.request('POST', `${system.console}/admin/courier/messages`, messages)
    assert.equal(status, 202)
    const seconds = () => (performance.now() - startedMs) / 1_000
    let excess = 0
    await waitFor(
      () => {
        const accepted = sink.accepted()
        // The time is taken after the count, so that it can only allow more.
        excess = Math.max(excess, accepted - (PER_SECOND * seconds() + BURST))
        return accepted === MAILS
      },
      { timeoutMs: 60_000, message: () => `only ${sink.accepted()} mails came` },
    )
    t.diagnostic(`${MAILS} mails in ${seconds().toFixed(1)} s`)
    assert.equal(excess, 0)
    assert.equal(sink.mails.length, MAILS)
  })
})
