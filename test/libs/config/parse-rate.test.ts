import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseRate } from '#libs/config'
import { isCoded } from '#libs/errors'

describe('parseRate', () => {
  for (const [text, perSecond] of [
    ['100/1s', 100],
    ['6000/1m', 100],
    ['14/1s', 14],
    ['1/1m30s', 1 / 90],
    ['5/250ms', 20],
    ['', undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as ${perSecond} per second`, () => {
      assert.equal(parseRate(text), perSecond)
    })
  }

  for (const text of ['100', '100/s', '/1s', '0/1s', '-1/1s', '1.5/1s', '5/0s', '5/1us', '100 / 1s', '1/1d']) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => parseRate(text),
        (error) => isCoded(error, 'CONFIG_INVALID') && /allowed a count per duration/.test(error.message),
      )
    })
  }
})
