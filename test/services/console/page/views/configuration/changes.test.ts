import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { changesBetween, withChanges } from '../../../../../../services/console/page/views/configuration/changes.ts'
import { withValue } from '../../../../../../services/console/page/views/configuration/document.ts'

const BASE = { courier: { smtp: { from_name: 'Shop', headers: { 'X-A.B': '1' } }, channels: [{ id: 'sms' }] } }

describe('changesBetween', () => {
  it('tells what was added, changed and removed, key by key', () => {
    const after = {
      courier: { smtp: { from_name: 'Other', from_address: 'a@b', headers: {} }, channels: [{ id: 'sms' }] },
    }
    const told = changesBetween(BASE, after).map(({ keys: _keys, ...change }) => change)
    assert.deepEqual(told, [
      { path: 'courier.smtp.from_address', after: 'a@b' },
      { path: 'courier.smtp.from_name', before: 'Shop', after: 'Other' },
      { path: 'courier.smtp.headers.X-A.B', before: '1' },
    ])
  })

  it('finds nothing where a value was taken away and put back', () => {
    const away = withValue(BASE, 'courier.smtp.from_name', undefined)
    assert.equal(changesBetween(BASE, away).length, 1)
    assert.deepEqual(changesBetween(BASE, withValue(away, 'courier.smtp.from_name', 'Shop')), [])
  })

  it('takes an empty object for none', () => {
    assert.deepEqual(changesBetween({ courier: {} }, { courier: { http: { request_config: {} } } }), [])
  })
})

describe('withChanges', () => {
  it('puts the changes of one on top of those of another', () => {
    const mine = withValue(withValue(BASE, 'courier.smtp.from_name', undefined), 'courier.message_retries', 3)
    const theirs = withValue(withValue(BASE, 'courier.smtp.from_name', 'Theirs'), 'courier.smtp.local_name', 'mx')
    assert.deepEqual(withChanges(theirs, changesBetween(BASE, mine)), {
      courier: {
        smtp: { headers: { 'X-A.B': '1' }, local_name: 'mx' },
        channels: [{ id: 'sms' }],
        message_retries: 3,
      },
    })
  })
})

describe('withValue', () => {
  it('changes an item of a list by its place and leaves the document as it was', () => {
    const next = withValue(BASE, 'courier.channels.0.request_config.url', 'https://sms.example.org')
    assert.deepEqual(next.courier, {
      ...BASE.courier,
      channels: [{ id: 'sms', request_config: { url: 'https://sms.example.org' } }],
    })
    assert.deepEqual(BASE.courier.channels, [{ id: 'sms' }])
  })
})
