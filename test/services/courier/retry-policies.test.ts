import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '#libs/config'
import { policyFor, retryPoliciesOf } from '../../../services/courier/retry-policies.ts'

describe('policyFor', () => {
  const settings = {
    courier: { message_retries: 2 },
    postrider: { courier: { retry_schedule: '500ms, 1m', on_unknown: { stub: 'hold', login_code_valid: 'resend' } } },
  }

  it('follows the configuration, by type where that says so', () => {
    const policies = retryPoliciesOf(parseConfig(settings))
    const expected = { maxAttempts: 3, scheduleMs: [500, 60_000] }
    assert.deepEqual(policyFor(policies, 'login_code_valid'), { ...expected, onUnknown: 'resend' })
    assert.deepEqual(policyFor(policies, 'recovery_valid'), { ...expected, onUnknown: 'resend' })
    assert.deepEqual(policyFor(policies, 'stub'), { ...expected, onUnknown: 'hold' })
  })

  it('tries once where there are no retries, and makes nothing for each message', () => {
    const policies = retryPoliciesOf(parseConfig({ courier: { message_retries: -1 } }))
    assert.equal(policyFor(policies, 'stub').maxAttempts, 1)
    assert.equal(policyFor(policies, 'stub'), policyFor(policies, 'recovery_valid'))
  })
})
