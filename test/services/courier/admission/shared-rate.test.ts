import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { limitOf, openSharedRate } from '../../../../services/courier/admission/shared-rate.ts'

/** A rate whose bucket is the test, on a clock of its own. */
function setup(t: TestContext, perSecond = 100) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const bucket = { tokens: 1_000, asked: [] as number[], isAway: false }
  const errors: unknown[] = []
  const rate = openSharedRate(limitOf(perSecond), {
    take: async (wanted) => {
      bucket.asked.push(wanted)
      if (bucket.isAway) throw new Error('the database is away')
      const granted = Math.min(wanted, bucket.tokens)
      bucket.tokens -= granted
      return granted
    },
    onError: (error) => errors.push(error),
  })
  let woken = 0
  rate.onTokens(() => {
    woken += 1
  })
  const settled = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  const tick = async (ms: number) => {
    t.mock.timers.tick(ms)
    await settled()
  }
  /** Starts `count` mails, as far as they may. @returns how many did */
  const start = async (count: number) => {
    for (let started = 0; ; started++) {
      if (started === count) return started
      if (rate.allowance(20) === 0) await settled()
      if (rate.allowance(20) === 0) return started
      rate.started()
    }
  }
  return { rate, bucket, errors, settled, tick, start, woken: () => woken }
}

describe('limitOf', () => {
  it('keeps a quarter of a second, and enough that nothing of a slow rate is lost between two looks', () => {
    assert.deepEqual(limitOf(100), { perSecond: 100, burst: 25 })
    assert.deepEqual(limitOf(0.5), { perSecond: 0.5, burst: 1.5 })
  })
})

describe('openSharedRate', () => {
  it('asks for nothing until something wants to go, and then for a tenth of a second', async (t) => {
    const { rate, bucket, settled, tick, woken } = setup(t)
    await tick(5_000)
    assert.deepEqual(bucket.asked, [])
    assert.equal(rate.allowance(20), 0)
    assert.equal(rate.allowance(20), 0)
    await settled()
    assert.deepEqual(bucket.asked, [10])
    assert.equal(woken(), 1)
    assert.equal(rate.allowance(20), 10)
    assert.equal(rate.allowance(3), 3)
  })

  it('fetches ahead, before the last token is gone', async (t) => {
    const { rate, bucket, settled, start } = setup(t)
    assert.equal(await start(5), 5)
    assert.equal(rate.allowance(20), 5)
    await settled()
    assert.deepEqual(bucket.asked, [10, 10])
    assert.equal(rate.allowance(20), 15)
  })

  it('never gives more than was granted, and looks again after a pause', async (t) => {
    const { rate, bucket, tick, start, woken } = setup(t)
    bucket.tokens = 4
    assert.equal(await start(20), 4)
    const asked = bucket.asked.length
    assert.equal(rate.allowance(20), 0)
    assert.equal(bucket.asked.length, asked, 'the bucket is not asked again and again')
    bucket.tokens = 7
    const before = woken()
    await tick(50)
    assert.equal(woken(), before + 1)
    assert.equal(await start(20), 7)
  })

  it('looks again only when something still wants to go', async (t) => {
    const { rate, bucket, settled, tick } = setup(t)
    bucket.tokens = 0
    rate.allowance(20)
    await settled()
    await tick(10_000)
    assert.deepEqual(bucket.asked, [10])
  })

  it('gives back after a second what nobody used', async (t) => {
    const { rate, bucket, settled, tick, start } = setup(t)
    await start(3)
    assert.equal(bucket.tokens, 990)
    await tick(999)
    assert.equal(rate.allowance(1), 1)
    await tick(1)
    assert.deepEqual(bucket.asked, [10, -7])
    assert.equal(bucket.tokens, 997)
    assert.equal(rate.allowance(1), 0)
    await settled()
    assert.equal(rate.allowance(1), 1)
  })

  it('sends nothing beyond what was fetched while the database is away, and goes on when it is back', async (t) => {
    const { rate, bucket, errors, settled, tick, start } = setup(t)
    rate.allowance(20)
    await settled()
    bucket.isAway = true
    assert.equal(await start(20), 10)
    assert.equal(errors.length, 1)
    await tick(999)
    assert.equal(await start(1), 0)
    assert.equal(errors.length, 1, 'it is asked once a second')
    bucket.isAway = false
    await tick(1)
    assert.equal(await start(1), 1)
  })

  it('asks a slow rate for one mail, now and then', async (t) => {
    const { bucket, tick, start } = setup(t, 0.1)
    bucket.tokens = 1
    assert.equal(await start(2), 1)
    await tick(900)
    assert.equal(await start(1), 0)
    assert.deepEqual(bucket.asked, [1, 1])
    await tick(100)
    assert.equal(await start(1), 0)
    assert.deepEqual(bucket.asked, [1, 1, 1])
  })

  it('gives back what is left when it closes, also what was under way, and asks no more', async (t) => {
    const { rate, bucket } = setup(t)
    rate.allowance(20)
    await rate.close()
    assert.equal(bucket.tokens, 1_000)
    assert.equal(rate.allowance(20), 0)
    assert.deepEqual(bucket.asked, [10, -10])
  })
})
