import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfiguration, parseText } from '../../../deploy/cli/parse-document.ts'

const parse = (text: string) => parseConfiguration({ name: 'a.yaml', text })

describe('parseConfiguration', () => {
  it('reads YAML, and JSON with tabs', () => {
    const expected = { courier: { delivery_strategy: 'http' } }
    assert.deepEqual(parse('courier: # comment\n  delivery_strategy: http\n'), expected)
    assert.deepEqual(parse('{\n\t"courier": {\n\t\t"delivery_strategy": "http"\n\t}\n}'), expected)
  })

  it('names file, line and column of a mistake and never repeats the text', () => {
    for (const text of ['courier:\n  password: "hunter2\n', '{"password": "hunter2",,}', 'a: hunter2\na: hunter2\n']) {
      assert.throws(
        () => parse(text),
        (error: Error) =>
          /^a\.yaml:\d+:\d+ not valid YAML or JSON: /.test(error.message) && !/hunter2/.test(error.message),
        text,
      )
    }
    assert.throws(() => parse('a: *hunter2'), { message: 'a.yaml: found an alias without anchor or too many aliases' })
  })

  it('refuses an empty document, which would remove everything, but takes {}', () => {
    assert.throws(() => parse('# nothing\n'), /a\.yaml: is empty; to remove the whole configuration give \{\}/)
    assert.deepEqual(parse('{}'), {})
  })

  it('refuses what is no mapping', () => {
    assert.throws(() => parse('- a'), /a\.yaml: found a list, expected a mapping/)
    assert.throws(() => parse('hunter2'), /a\.yaml: found a text, expected a mapping/)
  })

  it('refuses a document that lost its indentation', () => {
    const text = 'courier:\ndelivery_strategy: http\nhttp:\nrequest_config:\nurl: https://mail.example.com\n'
    assert.throws(() => parse(text), /a\.yaml: delivery_strategy stands beside courier, not below it: indent/)
  })
})

describe('parseText', () => {
  it('reads lists too', () => {
    assert.deepEqual(parseText({ name: 'a', text: '- op: remove\n  path: /a\n' }), [{ op: 'remove', path: '/a' }])
  })
})
