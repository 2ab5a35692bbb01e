import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeSchema } from '../../../deploy/documents/describe-schema.ts'
import type { Schema } from '../../../deploy/documents/openapi-document.ts'

const text: Schema = { type: 'string' }
const CASES: readonly (readonly [schema: Schema, described: string])[] = [
  [text, 'string'],
  [{ type: 'string', format: 'date-time' }, 'date-time'],
  [{ type: ['string', 'null'] }, 'string or null'],
  [{ type: 'integer', minimum: 1, maximum: 9 }, 'integer, at least 1, at most 9'],
  [{ enum: ['a', 'b'] }, '`a`, `b`'],
  [{ const: true }, '`true`'],
  [{ $ref: '#/components/schemas/messageDispatch' }, '[messageDispatch](#messagedispatch)'],
  [{ type: 'array', items: { $ref: '#/components/schemas/x' }, maxItems: 3 }, 'list of [x](#x), at most 3'],
  [{ type: 'array', prefixItems: [text, text] }, '[string, string]'],
  [{ type: 'object', required: ['a'], properties: { a: text, b: { type: 'integer' } } }, '{ `a`, `b`? integer }'],
  [
    { oneOf: [{ $ref: '#/components/schemas/x' }, { type: 'object', required: ['a'], properties: { a: text } }] },
    '[x](#x) or { `a` }',
  ],
  [{ type: 'object', properties: { a: text }, oneOf: [{ required: ['a'] }] }, '{ `a`? }'],
  [{ allOf: [{ $ref: '#/components/schemas/x' }, { properties: { a: text } }] }, '[x](#x) with { `a`? }'],
  [{}, 'anything'],
]

describe('describeSchema', () => {
  for (const [schema, described] of CASES)
    it(`says ${described}`, () => assert.equal(describeSchema(schema), described))
})
