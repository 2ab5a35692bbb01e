import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { retryAfterMs } from '../../../../../services/courier/channels/http/retry-after.ts'

const NOW = Date.parse('2026-01-02T03:04:05Z')

describe('retryAfterMs', () => {
  const rows: [header: string | undefined, ms: number | undefined][] = [
    [undefined, undefined],
    ['', undefined],
    ['0', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['5m', undefined],
    ['soon', undefined],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['86401', 86_400_000],
    ['9'.repeat(400), 86_400_000],
    ['Fri, 02 Jan 2026 03:04:35 GMT', 30_000],
    ['Friday, 02-Jan-26 03:04:35 GMT', 30_000],
    ['Fri Jan  2 03:04:35 2026', 30_000],
    ['Sat, 10 Jan 2026 03:04:35 GMT', 86_400_000],
    ['Fri, 02 Jan 2026 03:04:00 GMT', undefined],
  ]
  for (const [header, ms] of rows) {
    it(`takes ${header?.slice(0, 40)} for ${ms} ms`, () => assert.equal(retryAfterMs(header, NOW), ms))
  }
})
