import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openWatermark } from '#libs/bus'

describe('openWatermark', () => {
  it('commits past a record when all before it have ended', () => {
    const watermark = openWatermark(7)
    for (const offset of [7, 8, 9]) watermark.begin(offset)
    assert.equal(watermark.end(8), undefined)
    assert.equal(watermark.end(9), undefined)
    assert.equal(watermark.end(7), 10)
  })

  it('passes gaps in the offsets, which are no records', () => {
    const watermark = openWatermark(0)
    watermark.begin(3)
    watermark.begin(10)
    assert.equal(watermark.end(3), 10)
    assert.equal(watermark.end(10), 11)
  })

  it('ignores what lies below the base, was never begun, or has ended', () => {
    const watermark = openWatermark(5)
    watermark.begin(4)
    watermark.begin(5)
    assert.equal(watermark.end(4), undefined)
    assert.equal(watermark.end(6), undefined)
    assert.equal(watermark.end(5), 6)
    assert.equal(watermark.end(5), undefined)
    watermark.begin(5)
    assert.equal(watermark.end(5), undefined)
  })

  it('counts on over thousands of records while some stay open', () => {
    const watermark = openWatermark(0)
    for (let offset = 0; offset < 5_000; offset++) {
      watermark.begin(offset)
      if (offset >= 100) assert.equal(watermark.end(offset - 100), offset - 99)
    }
  })

  it('keeps below the lowest incomplete record and never goes back, whatever the order of completion', () => {
    const step = fc.record({ gap: fc.integer({ min: 1, max: 3 }), rank: fc.nat(10_000), endsNow: fc.boolean() })
    fc.assert(
      fc.property(fc.nat(1_000), fc.array(step, { minLength: 1, maxLength: 300 }), (base, steps) => {
        const watermark = openWatermark(base)
        const open = new Map<number, number>()
        let offset = base - 1
        let committed = base

        function endLowestRank(): void {
          const lowestBefore = Math.min(...open.keys())
          const [done] = [...open].toSorted((a, b) => a[1] - b[1])[0]!
          open.delete(done)
          const lowest = Math.min(offset + 1, ...open.keys())
          const advanced = watermark.end(done)
          assert.equal(advanced, done === lowestBefore ? lowest : undefined)
          assert.ok(advanced === undefined || advanced > committed)
          committed = advanced ?? committed
        }

        for (const { gap, rank, endsNow } of steps) {
          offset += gap
          watermark.begin(offset)
          open.set(offset, rank)
          if (endsNow) endLowestRank()
        }
        while (open.size > 0) endLowestRank()
        assert.equal(committed, offset + 1)
      }),
      { numRuns: 50 },
    )
  })
})
