import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDuration } from '#libs/config'
import { isCoded } from '#libs/errors'

describe('parseDuration', () => {
  for (const [text, ms] of [
    ['0s', 0],
    ['1ms', 1],
    ['250ms', 250],
    ['30s', 30_000],
    ['1m', 60_000],
    ['1h30m', 5_400_000],
    ['1h30m15s', 5_415_000],
    ['1.5h', 5_400_000],
    ['720h', 2_592_000_000],
    ['1500us', 1.5],
    ['1500µs', 1.5],
    ['1000000ns', 1],
  ] as const) {
    it(`takes ${text} for ${ms} ms`, () => {
      assert.ok(Math.abs(parseDuration(text) - ms) < 1e-9)
    })
  }

  for (const text of ['', '5', '5 s', '-5s', 's', '1d', '1H', '5s,30s', '1.s', ' 5s', '5s\n']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseDuration(text),
        (error) => isCoded(error, 'CONFIG_INVALID'),
      )
    })
  }
})
