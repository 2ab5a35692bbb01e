/** The mail server is away: users' requests go on, the API says why in words, and the mail arrives once the server is back. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink } from '../support/smtp-sink.ts'
import { openSystem } from '../support/system.ts'

const ADDRESS = 'grace@example.org'

describe('an outage of the mail server', () => {
  it('delays the mail, tells why, and ends by itself', { timeout: 120_000 }, async () => {
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

    await using sink = await openSmtpSink({ port })
    const sent = await system.messageIn(deferred.id, 'sent', 60_000)
    assert.equal(sent.dispatches[0].status, 'success')
    assert.equal(sink.mails.length, 1)
    assert.equal(sink.mails[0]?.to, ADDRESS)
  })
})
