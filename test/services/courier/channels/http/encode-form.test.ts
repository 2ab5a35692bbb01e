import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeForm } from '../../../../../services/courier/channels/http/encode-form.ts'

describe('encodeForm', () => {
  it('escapes what Go escapes, and nothing else', () => {
    const ascii = String.fromCharCode(...Array.from({ length: 95 }, (_, at) => 32 + at))
    assert.deepEqual(encodeForm(JSON.stringify({ a: ascii })), {
      body:
        'a=+%21%22%23%24%25%26%27%28%29%2A%2B%2C-.%2F0123456789%3A%3B%3C%3D%3E%3F%40ABCDEFGHIJKLMNOPQRSTUVWXYZ' +
        '%5B%5C%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~',
    })
    assert.deepEqual(encodeForm('{"ü":"😀\\n"}'), { body: '%C3%BC=%F0%9F%98%80%0A' })
  })

  it('sorts by bytes', () => {
    assert.deepEqual(encodeForm('{"b":"1","a":"2","Z":"3","\\uffee":"4","😀":"5"}'), {
      body: 'Z=3&a=2&b=1&%EF%BF%AE=4&%F0%9F%98%80=5',
    })
  })

  it('is empty for an object without fields', () => {
    assert.deepEqual(encodeForm('{ }\n'), { body: '' })
  })

  for (const [json, kind] of [
    ['{"a":1}', 'a number in a field'],
    ['{"a":null}', 'null in a field'],
    ['{"a":["b"]}', 'a list in a field'],
    ['["a"]', 'a list'],
    ['null', 'null'],
  ] as const) {
    it(`says what it found in ${json}`, () => {
      const encoded = encodeForm(json)
      assert.ok('problem' in encoded && encoded.problem.endsWith(`found ${kind}`))
    })
  }
})
