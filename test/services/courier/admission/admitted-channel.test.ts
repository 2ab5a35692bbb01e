import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openAdmittedChannel } from '../../../../services/courier/admission/admitted-channel.ts'
import { outgoingMail } from '../channels/http/http-fixture.ts'
import { failedAttempt, memoryChannel } from '../deliveries.ts'

function setup(places = 20) {
  const inner = memoryChannel(places)
  const clock = { nowMs: 1_000_000 }
  const channel = openAdmittedChannel(inner, places, () => clock.nowMs)
  let sent = 0
  /** Sends a mail that ends with `failure`, or is accepted. */
  const send = (failure?: Parameters<typeof failedAttempt>[0]) => {
    channel.send(outgoingMail({ messageId: `m-${++sent}` }), () => undefined)
    inner.sending.at(-1)!.end(failure && failedAttempt(failure))
  }
  return { inner, clock, channel, send }
}

describe('openAdmittedChannel', () => {
  it('has the places of the channel behind it while nothing is wrong', () => {
    const { channel, inner } = setup(3)
    assert.equal(channel.free, 3)
    channel.send(outgoingMail(), () => undefined)
    assert.equal(channel.free, 2)
    inner.places = 1
    assert.equal(channel.free, 0)
    assert.equal(channel.blockage(), undefined)
  })

  it('closes at a refused password, says why, and probes', () => {
    const { channel, clock, send } = setup()
    send({ class: 'auth', message: 'the password is wrong', replyCode: 535 })
    assert.equal(channel.free, 0)
    assert.equal(channel.blockage()?.failure.replyCode, 535)
    clock.nowMs += 5_000
    assert.equal(channel.free, 1)
  })

  it('begins with a tenth after an outage', () => {
    const { channel, clock, send } = setup()
    send({ class: 'tls', message: 'expired certificate' })
    clock.nowMs += 5_000
    send()
    assert.equal(channel.free, 2)
    clock.nowMs += 60_000
    assert.equal(channel.free, 20)
  })

  it('slows down where the provider throttles, and stays open', () => {
    const { channel, send } = setup()
    for (let i = 0; i < 40; i++) send()
    send({ class: 'throttled', message: 'slow down' })
    assert.equal(channel.blockage(), undefined)
    assert.ok(channel.free < 20)
  })
})

describe('openAdmittedChannel with a shared rate', () => {
  /** A rate that has `tokens`, and notes what was wanted of it. */
  function memoryRate(tokens: number) {
    const rate = {
      tokens,
      wanted: [] as number[],
      isClosed: false,
      wake: (): void => undefined,
      allowance: (wanted: number) => {
        rate.wanted.push(wanted)
        return Math.min(wanted, rate.tokens)
      },
      started: () => {
        rate.tokens -= 1
      },
      onTokens: (callback: () => void) => {
        rate.wake = callback
      },
      close: async () => {
        rate.isClosed = true
      },
    }
    return rate
  }

  function setupRate(tokens: number, places = 5) {
    const rate = memoryRate(tokens)
    const inner = memoryChannel(places)
    return { rate, inner, channel: openAdmittedChannel(inner, places, () => 1_000_000, rate) }
  }

  it('has as many places as there are tokens, one less with each mail', () => {
    const { channel } = setupRate(2)
    assert.equal(channel.free, 2)
    assert.equal(channel.places, 5)
    channel.send(outgoingMail(), () => undefined)
    assert.equal(channel.free, 1)
    channel.send(outgoingMail(), () => undefined)
    assert.equal(channel.free, 0)
    assert.equal(channel.places, 3)
  })

  it('wants no tokens where no mail could go anyway', () => {
    const { channel, inner, rate } = setupRate(2)
    inner.places = 0
    assert.equal(channel.free, 0)
    assert.deepEqual(rate.wanted, [])
  })

  it('says so when tokens came, and closes the rate with the channel', async () => {
    const { channel, rate } = setupRate(0)
    let called = 0
    channel.onFree(() => {
      called += 1
    })
    rate.wake()
    assert.equal(called, 1)
    await channel.close()
    assert.equal(rate.isClosed, true)
  })
})
