import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lifetimeOf } from '../../../services/console/lifetime.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const LIFESPANS = { code: 20 * MINUTE, link: 90 * MINUTE }

describe('lifetimeOf', () => {
  for (const [template_type, template_data, expected] of [
    ['login_code_valid', {}, 20 * MINUTE],
    ['verification_valid', {}, 90 * MINUTE],
    ['recovery_valid', {}, 90 * MINUTE],
    ['recovery_code_invalid', {}, DAY],
    ['stub', {}, DAY],
    ['login_code_valid', { expires_in_minutes: 5 }, 5 * MINUTE],
    ['login_code_valid', { expires_in_minutes: 10_000_000 }, 5 * DAY],
    ['login_code_valid', { expires_in_minutes: 'soon' }, 20 * MINUTE],
  ] as const) {
    it(`is ${expected / MINUTE} minutes for ${template_type} with ${JSON.stringify(template_data)}`, () =>
      assert.equal(lifetimeOf({ template_type, template_data }, LIFESPANS), expected))
  }
})
