import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeBody, encodeBody } from '../../../../../../services/console/page/views/configuration/body-text.ts'
import { DEFAULT_BODY } from '../../../../../../services/console/page/views/configuration/default-body.ts'

describe('encodeBody', () => {
  it('embeds text of any script so that it comes back the same', () => {
    for (const text of ['', DEFAULT_BODY, 'function(ctx) { gruß: "日本 🙂" }'])
      assert.equal(decodeBody(encodeBody(text)), text)
  })

  it('is what the server decodes as UTF-8', () => {
    const [, base64 = ''] = encodeBody('{ name: "ü" }').split('base64://')
    assert.equal(Buffer.from(base64, 'base64').toString('utf8'), '{ name: "ü" }')
  })
})

describe('decodeBody', () => {
  it('shows nothing of what is no Base64', () => {
    assert.equal(decodeBody('base64://%%'), '')
  })
})
