import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openDatabase } from '#libs/database'
import { arrayLiteral } from '../../../services/projector/array-literal.ts'
import { testDatabase } from '../../support/servers.ts'

describe('arrayLiteral', () => {
  it('brings any text through PostgreSQL unchanged, but for NUL', async (t) => {
    const { url } = await testDatabase(t, { empty: true })
    await using database = openDatabase({ url, applicationName: 'test' })
    const texts = fc.array(fc.option(fc.string({ unit: 'binary' }), { nil: null }), { maxLength: 20 })
    const tricky = ['', 'NULL', '"', '\\', '{}', 'a,b', ' ', 'a\0b', '\n', null]
    await fc.assert(
      fc.asyncProperty(texts, async (found) => {
        const values = [...tricky, ...found]
        const { rows } = await database.query<{ values: (string | null)[] }>({
          text: 'select $1::text[] as values',
          values: [arrayLiteral(values, (value) => value)],
        })
        assert.deepEqual(
          rows[0]?.values,
          values.map((value) => value?.replaceAll('\0', '') ?? null),
        )
      }),
      { numRuns: 50 },
    )
  })
})
