import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isPublicAddress } from '../../../libs/resources/public-address.ts'

describe('isPublicAddress', () => {
  const PUBLIC = ['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.15.255.255']
  for (const address of [...PUBLIC, '172.32.0.0', '223.255.255.255', '2606:4700::1111', '2a00::1', '::ffff:8.8.8.8']) {
    it(`takes ${address} for public`, () => assert.equal(isPublicAddress(address), true))
  }

  const PRIVATE_V4 = [
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
  ]
  const MORE_V4 = [
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.31.196.1',
    '192.52.193.1',
    '192.88.99.1',
    '192.168.1.1',
  ]
  const LAST_V4 = [
    '192.175.48.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '255.255.255.255',
  ]
  const PRIVATE_V6 = [
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:0a00:0001',
    '64:ff9b::7f00:1',
    'fc00::1',
  ]
  const MORE_V6 = [
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2620:4f:8000::1',
  ]
  for (const address of [...PRIVATE_V4, ...MORE_V4, ...LAST_V4, ...PRIVATE_V6, ...MORE_V6]) {
    it(`does not take ${address} for public`, () => assert.equal(isPublicAddress(address), false))
  }

  it('takes nothing that is no address', () => {
    for (const text of ['', 'localhost', '127.1', '2130706433', '0x7f.1', '8.8.8.8:80']) {
      assert.equal(isPublicAddress(text), false)
    }
  })
})
