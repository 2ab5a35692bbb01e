import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import { SAMPLE_DATA, TEMPLATE_KINDS, validateTemplateData } from '#libs/templates'

describe('validateTemplateData', () => {
  for (const { templateType, channel, data } of SAMPLE_DATA) {
    it(`takes complete data of ${templateType} for ${channel}, and misses each field that is required`, () => {
      assert.deepEqual(validateTemplateData(templateType, data, channel), [])
      for (const { json, also, required } of TEMPLATE_KINDS[templateType].fields[channel] ?? []) {
        const { [json]: _, [also ?? json]: __, ...rest } = data
        const problems = validateTemplateData(templateType, rest, channel)
        assert.equal(problems.length, required ? 1 : 0, json)
        if (required) assert.match(problems[0] ?? '', new RegExp(`^${json}: is missing, expected a`))
      }
    })
  }

  const wrong: [field: string, value: unknown, problem: string][] = [
    ['login_code', '', 'login_code: expected a text that is not empty, found an empty one'],
    ['login_code', null, 'login_code: is missing, expected a text that is not empty'],
    ['login_code', 639425, 'login_code: expected a text that is not empty, found a number'],
    ['to', ['x'], 'to: expected a text, found a list'],
    ['to', true, 'to: expected a text, found true or false'],
    ['identity', 'x', 'identity: expected an object, found a text'],
    ['transient_payload', [], 'transient_payload: expected an object, found a list'],
    ['expires_in_minutes', '60', 'expires_in_minutes: expected a whole number of 0 or more, found a text'],
    ['expires_in_minutes', 1.5, 'expires_in_minutes: expected a whole number of 0 or more, found another number'],
    ['expires_in_minutes', -1, 'expires_in_minutes: expected a whole number of 0 or more, found another number'],
  ]
  for (const [field, value, problem] of wrong) {
    it(`says "${problem}" to ${JSON.stringify(value)}`, () => {
      const data = { login_code: '639425', [field]: value }
      assert.deepEqual(validateTemplateData('login_code_valid', data), [problem])
    })
  }

  for (const time of ['yesterday', '2030-01-31', '2030-13-31T12:00:00Z', '']) {
    it(`refuses the time ${JSON.stringify(time)}`, () => {
      const [problem] = validateTemplateData('verifiable_address_changed', { changed_at: time })
      assert.match(problem ?? '', /^changed_at: expected an RFC 3339 time such as 2030-01-31T12:00:00Z, found /)
    })
  }

  it('takes times with fraction and offset', () => {
    for (const time of ['2030-01-31T12:00:00.123456789Z', '2030-01-31T12:00:00+01:00']) {
      assert.deepEqual(validateTemplateData('authenticator_key_added', { added_at: time }), [])
    }
  })

  it('names every problem, and lets fields through that the model does not have', () => {
    const problems = validateTemplateData('recovery_valid', { to: 1, identity: 2, other: { anything: true } })
    assert.deepEqual(
      problems.map((problem) => problem.split(':')[0]),
      ['recovery_url', 'identity', 'to'],
    )
  })

  it('takes null for what may be missing', () => {
    const data = { login_code: '639425', identity: null, transient_payload: null, expires_in_minutes: null, to: null }
    assert.deepEqual(validateTemplateData('login_code_valid', data), [])
  })

  it('takes the code of a recovery under either key', () => {
    for (const channel of ['email', 'sms'] as const) {
      for (const key of ['recovery_code', 'verification_code']) {
        assert.deepEqual(validateTemplateData('recovery_code_valid', { [key]: '417203' }, channel), [])
      }
    }
  })

  for (const templateType of ['no_such_type', 'toString', '__proto__', '']) {
    it(`throws for the type ${JSON.stringify(templateType)}`, () => {
      assert.throws(
        () => validateTemplateData(templateType, {}),
        (error) => isCoded(error, 'TEMPLATE_UNKNOWN'),
      )
    })
  }
})
