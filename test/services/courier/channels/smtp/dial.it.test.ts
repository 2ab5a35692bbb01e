/** Which addresses a channel connects to when private networks are forbidden. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { treatmentOf } from '#libs/delivery'
import { openGuard } from '#libs/resources'
import { openSmtpSink } from '../../../../support/smtp-sink.ts'
import { resolving } from './names-at.ts'
import { openChannel, outgoingMail, sendBy } from './smtp-fixture.ts'

const ADA = 'ada@example.org'
const setting = 'clients.smtp.disallow_private_ip_ranges'

/** Every spelling of this machine, and where clouds keep their secrets. */
const PRIVATE = [
  ...['127.0.0.1', '127.1', '0x7f.1', '0x7f000001', '2130706433', '017700000001', '127.0.0.1.', '0.0.0.0', '0'],
  ...['１２７.0.0.1', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '[fe80::1%1]'],
  ...['localhost', '10.0.0.1', '192.168.1.1', '172.16.0.1', '100.64.0.1', '169.254.169.254'],
  ...['[fd00:ec2::254]', '[2002:7f00:1::]'],
]

describe('dial behind a guard', () => {
  for (const host of PRIVATE) {
    for (const scheme of ['smtp', 'smtps']) {
      it(`does not connect ${scheme}://${host}, says which setting forbids it, and keeps the message`, async () => {
        await using sink = await openSmtpSink()
        const guard = openGuard({ disallowPrivate: true, setting })
        const channel = openChannel(`${scheme}://${host}:${sink.port}/`, { guard })
        const { outcome, failure, conversation } = await sendBy(channel, outgoingMail(ADA))
        await channel.close()
        assert.equal(outcome, 'failed')
        assert.match(
          failure?.message ?? '',
          /is out of bounds: .*clients\.smtp\.disallow_private_ip_ranges allows public addresses only.*courier\.smtp\.connection_uri/,
        )
        assert.deepEqual(treatmentOf(failure!.class), { permanent: false, charged: false, leastDelayMs: 0 })
        assert.equal(sink.connections(), 0)
        assert.deepEqual(conversation, [])
      })
    }
  }

  it('does not connect a name with a private address, whatever the name server said before or says beside it', async () => {
    await using sink = await openSmtpSink()
    const resolve = resolving(['8.8.8.8', '127.0.0.1'], ['127.0.0.1'], ['::ffff:127.0.0.1'])
    const channel = openChannel(`smtp://rebinding.test:${sink.port}/?disable_starttls=true`, {
      guard: openGuard({ disallowPrivate: true, setting, resolve }),
    })
    for (let attempt = 1; attempt <= 3; attempt++) {
      const { failure } = await sendBy(channel, outgoingMail(ADA))
      assert.match(failure?.message ?? '', /^rebinding\.test:\d+ is out of bounds/)
      assert.doesNotMatch(failure?.message ?? '', /127\.0|8\.8/, 'does not tell what lies behind the name')
    }
    await channel.close()
    assert.equal(sink.connections(), 0)
  })

  it('connects to the address that was looked at, with one look per connection', async () => {
    await using sink = await openSmtpSink()
    // A second look would find another place, where nobody listens.
    const guard = openGuard({ disallowPrivate: false, resolve: resolving(['127.0.0.1'], ['127.0.0.99']) })
    const channel = openChannel(`smtp://only-here.test:${sink.port}/?disable_starttls=true`, { guard })
    const { outcome, peer } = await sendBy(channel, outgoingMail(ADA))
    await channel.close()
    assert.equal(outcome, 'accepted')
    assert.deepEqual(peer, { host: 'only-here.test', port: sink.port, address: '127.0.0.1' })
  })

  it('goes on to the next address of a name', async () => {
    await using sink = await openSmtpSink()
    const guard = openGuard({ disallowPrivate: false, resolve: resolving(['::1', '127.0.0.1']) })
    const channel = openChannel(`smtp://both.test:${sink.port}/?disable_starttls=true`, { guard })
    assert.equal((await sendBy(channel, outgoingMail(ADA))).outcome, 'accepted')
    await channel.close()
  })

  it('connects anywhere where nothing is forbidden', async () => {
    await using sink = await openSmtpSink()
    const channel = openChannel(`smtp://127.0.0.1:${sink.port}/?disable_starttls=true`, {
      guard: openGuard({ disallowPrivate: false, setting }),
    })
    assert.equal((await sendBy(channel, outgoingMail(ADA))).outcome, 'accepted')
    await channel.close()
  })
})
