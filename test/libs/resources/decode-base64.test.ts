import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import { decodeBase64 } from '#libs/resources'

describe('decodeBase64', () => {
  it('decodes the standard alphabet, with line breaks anywhere', () => {
    assert.equal(decodeBase64('base64://aGVsbG8=').toString(), 'hello')
    assert.equal(decodeBase64('base64://aGVs\r\nbG8=\n').toString(), 'hello')
    assert.deepEqual(decodeBase64('base64://+/+/'), Buffer.from([0xfb, 0xff, 0xbf]))
    assert.equal(decodeBase64('base64://').length, 0)
  })

  for (const payload of ['aGVsbG8', 'aGVsbG8==', '-_-_', 'aGVs bG8=', 'aGVs=bG8', '====', 'aGVsbG8=x', 'Zm9v===']) {
    it(`refuses ${payload}, and does not repeat it`, () => {
      assert.throws(
        () => decodeBase64(`base64://${payload}`),
        (error) => isCoded(error, 'CONFIG_INVALID') && !error.message.includes(payload),
      )
    })
  }
})
