import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { parseOutputFormat, toYaml } from '../../../deploy/cli/output-format.ts'

const data = { a: [1, 'b'], b: null }
const print = (format: string, data: unknown) => parseOutputFormat(format)(data, () => 'for people')

describe('parseOutputFormat', () => {
  for (const [format, text] of [
    ['default', 'for people\n'],
    ['table', 'for people\n'],
    ['json', '{"a":[1,"b"],"b":null}\n'],
    ['json-pretty', '{\n  "a": [\n    1,\n    "b"\n  ],\n  "b": null\n}\n'],
    ['yaml', 'a:\n  - 1\n  - b\nb: null\n'],
    ['jsonpath=a.1', '"b"\n'],
    ['jsonpath=b', 'null\n'],
    ['jsonpointer=/a/0', '1\n'],
    ['jsonpointer=', '{"a":[1,"b"],"b":null}\n'],
  ] as const) {
    it(`prints ${format}`, () => assert.equal(print(format, data), text))
  }

  it('refuses what is no format, before anything is asked of the console', () => {
    for (const format of [
      'xml',
      '',
      'jsonpath',
      'jsonpath=',
      'jsonpath=a.*',
      'jsonpointer',
      'jsonpointer=a',
      'toString',
    ])
      assert.throws(() => parseOutputFormat(format), { code: 'commander.invalidArgument' }, format)
  })
})

describe('toYaml', () => {
  it('keeps a long text on one line', () => {
    const body = `base64://${'QUJD'.repeat(5_000)}`
    assert.equal(toYaml({ body }), `body: ${body}\n`)
  })

  it('is read as the same texts by readers of YAML 1.1 and 1.2', () => {
    const texts = ['no', 'Yes', 'on', 'n', '1:30', '2020-01-01', '010', '0o10', '0x1F', '~', 'null', '1e3', '1_000', '']
    const values = [...texts, ' lead', 'a: b', '# x', 'two\nlines\n', '*', '&a', '!x', '%', '@', '`', '\t', '- a']
    const yaml = toYaml({ values })
    assert.deepEqual(parse(yaml, { version: '1.1' }), { values })
    assert.deepEqual(parse(yaml, { version: '1.2' }), { values })
  })

  it('writes a value again where it stands twice', () => {
    const shared = { a: 1 }
    assert.equal(toYaml({ b: shared, c: shared }), 'b:\n  a: 1\nc:\n  a: 1\n')
  })
})
