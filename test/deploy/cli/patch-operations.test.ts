import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { operationsOf, readOperations } from '../../../deploy/cli/patch-operations.ts'

describe('operationsOf', () => {
  it('goes from add over replace to remove, whatever the order of writing', () => {
    const operations = operationsOf({ remove: ['/c'], replace: ['/b={"x":[1]}'], add: ['/a="y=z"', '/d=null'] })
    assert.deepEqual(operations, [
      { op: 'add', path: '/a', value: 'y=z' },
      { op: 'add', path: '/d', value: null },
      { op: 'replace', path: '/b', value: { x: [1] } },
      { op: 'remove', path: '/c' },
    ])
  })

  it('says how a patch is written where there is no =', () => {
    const message = 'patches must be in format of `/some/config/key=some-value`'
    assert.throws(() => operationsOf({ add: ['/a'] }), { message })
  })

  it('asks for JSON and never repeats the value', () => {
    assert.throws(
      () => operationsOf({ replace: ['/courier/password=hunter2'] }),
      ({ message }: Error) =>
        message.startsWith('value for /courier/password must be valid JSON but got: ') &&
        message.includes(`--replace '/courier/password="text"'`) &&
        !message.includes('hunter2'),
    )
  })

  it('refuses a path that is no pointer', () => {
    assert.throws(() => operationsOf({ remove: ['courier'] }), /^Error: courier: a JSON pointer starts with \//)
    assert.throws(() => operationsOf({ add: ['/a~=1'] }), /^Error: \/a~: /)
  })
})

describe('readOperations', () => {
  const read = (text: string) => readOperations({ name: 'ops.yaml', text })

  it('reads JSON and YAML, and keeps move, copy and test', () => {
    const operations = [
      { op: 'test', path: '/a', value: null },
      { op: 'move', path: '/a', from: '/b' },
    ]
    assert.deepEqual(read(JSON.stringify(operations)), operations)
    assert.deepEqual(read('- op: test\n  path: /a\n  value: null\n- {op: move, path: /a, from: /b}\n'), operations)
  })

  it('names the place of what is no operation', () => {
    for (const [text, message] of [
      ['{"courier": {}}', /^Error: ops\.yaml: found a mapping, expected a list of operations/],
      ['[1]', /^Error: ops\.yaml: operation 0: found a number/],
      ['[{"op":"remove","path":"/a"},{"op":"delete","path":"/a"}]', /operation 1: op: .* allowed add, remove/],
      ['[{"op":"remove"}]', /operation 0: path: expected a JSON pointer/],
      ['[{"op":"add","path":"/a"}]', /operation 0: value: is missing/],
      ['[{"op":"copy","path":"/a"}]', /operation 0: from: is missing/],
    ] as const) {
      assert.throws(() => read(text), message)
    }
  })
})
