/** The mail server is away: users' requests go on, the API says why in words, and the mail arrives once the server is back. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink } from '../support/smtp-sink.ts'
import { openSystem } from '../support/system.ts'

const ADDRESS = 'grace@example.org'
const OTHERS = 6

describe('an outage of the mail server', () => {
  it('delays the mail, tells why, and ends by itself', { timeout: 180_000 }, async () => {
    const port = await freePort()
    await using system = await openSystem({
      env: {
        COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${port}/?disable_starttls=true`,
        POSTRIDER_COURIER_RETRY_SCHEDULE: '1s',
      },
    })
    const started = await system.request('POST', `${system.identity}/self-service/registration`, {
      traits: { email: ADDRESS },
    })
    assert.equal(started.status, 201)

    const deferred = await waitFor(
      async () => {
        const { body } = await system.request('GET', `${system.console}/admin/courier/messages?recipient=${ADDRESS}`)
        return body[0]?.state === 'deferred' ? body[0] : undefined
      },
      { timeoutMs: 30_000, message: 'no deferred message' },
    )
    assert.equal(deferred.status, 'queued')
    assert.ok(Date.parse(deferred.next_attempt_at) > 0)
    const { dispatches } = await system.message(deferred.id)
    assert.equal(dispatches[0].status, 'failed')
    assert.match(dispatches[0].error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*refused`, 'i'))
    assert.equal(dispatches[0].class, 'network')

    const others = Array.from({ length: OTHERS }, (_, index) => ({
      recipient: `other-${index}@example.org`,
      template_type: 'login_code_valid',
      template_data: { login_code: '123456' },
    }))
    const accepted = await system.request('POST', `${system.console}/admin/courier/messages`, others)
    assert.equal(accepted.status, 202)
    // Several different messages failed: it is the server's fault, and everything waits for it.
    const blocked = await waitFor(async () => (await system.message(deferred.id)).blocked_by, {
      timeoutMs: 30_000,
      message: 'nothing tells that the channel is blocked',
    })
    assert.equal(blocked.class, 'network')
    assert.match(blocked.message, new RegExp(`127\\.0\\.0\\.1:${port}.*refused`, 'i'))
    assert.equal(blocked.reply_code, null)
    assert.ok(Date.parse(blocked.since) <= Date.now())
    assert.ok(Date.parse(blocked.next_probe_at) > Date.parse(blocked.since))
    const { body: listed } = await system.request('GET', `${system.console}/admin/courier/messages?status=queued`)
    assert.equal(listed.length, OTHERS + 1)
    for (const { blocked_by } of listed) assert.equal(blocked_by.class, 'network')

    await using sink = await openSmtpSink({ port })
    const sent = await system.messageIn(deferred.id, 'sent', 60_000)
    assert.equal(sent.dispatches[0].status, 'success')
    assert.equal(sent.blocked_by, null)
    await waitFor(() => sink.mails.length === OTHERS + 1, { timeoutMs: 30_000, message: 'mails are missing' })
    assert.equal(sink.mails.filter(({ to }) => to === ADDRESS).length, 1)
  })
})
