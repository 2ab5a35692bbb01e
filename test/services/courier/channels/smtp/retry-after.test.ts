import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { retryAfterMs } from '../../../../../services/courier/channels/smtp/retry-after.ts'

describe('retryAfterMs', () => {
  for (const [text, expected] of [
    ['Greylisted, try again in 300 seconds', 300_000],
    ['Please retry after 5 minutes', 300_000],
    ['come back in 1 hour', 3_600_000],
    ['Greylisting in action, please come back in 00:04:59', 299_000],
    ['wait 30s', 30_000],
    ['try again in 999 hours', 86_400_000],
    ['try again in 0 seconds', undefined],
    ['try again later', undefined],
    ['4.7.1 Service unavailable; client host [10.0.0.5] blocked', undefined],
  ] as const) {
    it(`reads ${expected} from "${text}"`, () => assert.equal(retryAfterMs(text), expected))
  }
})
