import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { breaksOf } from './compare-schemas.ts'
import { compile, type Schema } from './contract.ts'
import { publishedSchemas, readContract } from './files.ts'

const current: Schema = JSON.parse(readContract('delivery-status.v1.json'))

// biome-ignore lint/suspicious/noExplicitAny: the tests change any place of the document
function changed(change: (schema: any) => void): Schema {
  const copy = structuredClone(current)
  change(copy)
  return copy
}

describe('the schema of today', () => {
  for (const name of publishedSchemas()) {
    it(`only adds to ${name}`, () => {
      assert.deepEqual(breaksOf(JSON.parse(readContract(name)), current), [])
    })

    it(`has examples that readers of ${name} take`, () => {
      const isData = compile(JSON.parse(readContract(name)))
      for (const status of (current.properties as Record<string, Schema>).status!['x-extensible-enum'] as string[]) {
        const { value } = JSON.parse(readContract(`examples/${status}.json`))
        assert.ok(isData(value), `${status}: ${JSON.stringify(isData.errors)}`)
      }
    })
  }

  it('has an earlier one to be compared with', () => {
    assert.ok(publishedSchemas().length > 0)
  })
})

describe('breaksOf', () => {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const additive: [string, (schema: any) => void][] = [
    ['a new optional property', (s) => Object.assign(s.properties, { region: { type: 'string' } })],
    [
      'a new optional property further down',
      (s) => Object.assign(s.properties.reply.properties, { x: { type: 'integer' } }),
    ],
    ['a new name in an open list', (s) => s.properties.status['x-extensible-enum'].push('paused')],
    [
      'other words',
      (s) => Object.assign(s.properties.status, { description: 'new', title: 'new', examples: ['sent'] }),
    ],
    ['another order', (s) => s.required.reverse()],
  ]
  for (const [what, change] of additive) {
    it(`allows ${what}`, () => {
      assert.deepEqual(breaksOf(current, changed(change)), [])
    })
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above
  const breaking: [string, (schema: any) => void, string][] = [
    ['a property that is gone', (s) => delete s.properties.provider, '$.provider: is gone'],
    [
      'one that is gone further down',
      (s) => delete s.properties.durations_ms.properties.send,
      '$.durations_ms.send: is gone',
    ],
    [
      'a property with another name',
      (s) => {
        s.properties.host = s.properties.provider
        delete s.properties.provider
      },
      '$.provider: is gone',
    ],
    ['a newly required property', (s) => s.required.push('locale'), '$.locale: is newly required'],
    [
      'a new property that is required at once',
      (s) => {
        s.properties.region = { type: 'string' }
        s.required.push('region')
      },
      '$.region: is newly required',
    ],
    ['a property that may be missing now', (s) => s.required.pop(), '$.worker: is no longer required'],
    [
      'a required list that is new further down',
      (s) => s.properties.durations_ms.required.push('send'),
      '$.durations_ms.send: is newly required',
    ],
    [
      'a wider type',
      (s) => {
        s.properties.dispatch.type = 'number'
      },
      '$.dispatch: type was "integer", is "number"',
    ],
    [
      'another type',
      (s) => {
        s.properties.dispatch.type = 'string'
      },
      '$.dispatch: type was "integer", is "string"',
    ],
    [
      'a type that may also be null',
      (s) => {
        s.properties.locale.type = ['string', 'null']
      },
      '$.locale: type was "string", is ["string","null"]',
    ],
    [
      'a narrower limit',
      (s) => {
        s.properties.attempt.minimum = 1
      },
      '$.attempt: minimum was 0, is 1',
    ],
    [
      'a new limit',
      (s) => {
        s.properties.provider.maxLength = 64
      },
      '$.provider: maxLength was undefined, is 64',
    ],
    [
      'another pattern',
      (s) => {
        s.properties.trace_id.pattern = '^.*$'
      },
      '$.trace_id: pattern was "^[0-9a-f]{32}$", is "^.*$"',
    ],
    [
      'a name that is gone from an open list',
      (s) => s.properties.status['x-extensible-enum'].pop(),
      '$.status: cancelled is gone from x-extensible-enum',
    ],
    [
      'an open list that is gone',
      (s) => delete s.properties.lane['x-extensible-enum'],
      '$.lane: urgent is gone from x-extensible-enum',
    ],
    [
      'a list that becomes closed',
      (s) => {
        s.properties.lane.enum = ['urgent', 'notice']
      },
      '$.lane: enum was undefined, is ["urgent","notice"]',
    ],
    [
      'a name that is gone from a closed list',
      (s) => s.properties.severity.enum.pop(),
      '$.severity: enum was ["none","temporary","permanent"], is ["none","temporary"]',
    ],
    [
      'a name that is new in a closed list',
      (s) => s.properties.severity.enum.push('fatal'),
      '$.severity: enum was ["none","temporary","permanent"], is ["none","temporary","permanent","fatal"]',
    ],
    [
      'further properties refused',
      (s) => {
        s.additionalProperties = false
      },
      '$: additionalProperties was undefined, is false',
    ],
    [
      'another name of the schema',
      (s) => {
        s.$id = 'https://example.org'
      },
      '$: $id was "https://postrider.dev/schemas/delivery-status.v1.json", is "https://example.org"',
    ],
  ]
  for (const [what, change, line] of breaking) {
    it(`refuses ${what}`, () => {
      assert.ok(breaksOf(current, changed(change)).includes(line), breaksOf(current, changed(change)).join('\n'))
    })
  }
})
