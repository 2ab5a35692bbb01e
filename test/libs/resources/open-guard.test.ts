import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { describe, it } from 'node:test'
import { type AddressGuard, AddressRefused, openGuard } from '#libs/resources'

/** A name server that gives each answer once, the last for ever. */
function resolving(...answers: string[][]): LookupFunction {
  return (_hostname, _options, callback) => {
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    callback(
      null,
      (answer ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
}

function lookUp(guard: AddressGuard, hostname: string, all = true): Promise<unknown> {
  return new Promise((resolve, reject) =>
    guard.lookup(hostname, { all }, (error, address, family) =>
      error === null ? resolve([address, family]) : reject(error),
    ),
  )
}

describe('openGuard', () => {
  const closed = openGuard({ disallowPrivate: true })

  for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '0.0.0.0', '::1', '169.254.169.254', 'not an address']) {
    it(`refuses the literal ${address}`, () => {
      assert.throws(() => closed.checkAddress(address), AddressRefused)
    })
  }

  for (const spelling of ['127.1', '0x7f.1', '2130706433', '0177.0.0.1', '0', 'localhost']) {
    it(`refuses ${spelling}, which the system reads as this machine`, async () => {
      await assert.rejects(lookUp(closed, spelling), AddressRefused)
    })
  }

  it('allows what is public, in the shape that was asked for', async () => {
    const guard = openGuard({ disallowPrivate: true, resolve: resolving(['8.8.8.8', '2606:4700::1111']) })
    guard.checkAddress('8.8.8.8')
    assert.deepEqual(await lookUp(guard, 'public.test', false), ['8.8.8.8', 4])
    assert.deepEqual(await lookUp(guard, 'public.test'), [
      [
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1111', family: 6 },
      ],
      undefined,
    ])
  })

  it('refuses a name of which one address is private', async () => {
    const guard = openGuard({ disallowPrivate: true, resolve: resolving(['8.8.8.8', '10.0.0.1']) })
    await assert.rejects(lookUp(guard, 'mixed.test'), AddressRefused)
  })

  it('looks at every answer anew, and hands on the very one it looked at', async () => {
    const guard = openGuard({ disallowPrivate: true, resolve: resolving(['8.8.8.8'], ['127.0.0.1']) })
    assert.deepEqual(await lookUp(guard, 'rebinding.test', false), ['8.8.8.8', 4])
    await assert.rejects(lookUp(guard, 'rebinding.test', false), AddressRefused)
  })

  it('hands on what the name server says when it has no answer', async () => {
    const failing: LookupFunction = (_h, _o, callback) =>
      callback(Object.assign(new Error('gone'), { code: 'ENOTFOUND' }), '')
    await assert.rejects(lookUp(openGuard({ disallowPrivate: true, resolve: failing }), 'x.test'), {
      code: 'ENOTFOUND',
    })
  })

  it('names the switch and not the address', async () => {
    const guard = openGuard({ disallowPrivate: true, resolve: resolving(['10.1.2.3']), setting: 'clients.smtp.x' })
    await assert.rejects(lookUp(guard, 'mail.test'), {
      message: 'no such host: clients.smtp.x allows public addresses only',
    })
    assert.throws(() => closed.checkAddress('10.1.2.3'), {
      message: 'no route to host: clients.http.disallow_private_ip_ranges allows public addresses only',
    })
  })

  it('allows everything when off, and for the URLs that are exceptions', async () => {
    const off = openGuard({ disallowPrivate: false, resolve: resolving(['10.1.2.3']) })
    off.checkAddress('127.0.0.1')
    off.forUrl('http://127.0.0.1/').checkAddress('127.0.0.1')
    assert.deepEqual(await lookUp(off, 'mail.test', false), [[{ address: '10.1.2.3', family: 4 }], undefined])

    const guard = openGuard({ disallowPrivate: true, exceptionUrls: ['http://127.0.0.1:*/send'] })
    guard.forUrl('http://127.0.0.1:99/send?to=1').checkAddress('127.0.0.1')
    assert.throws(() => guard.forUrl('http://127.0.0.1:99/other').checkAddress('127.0.0.1'), AddressRefused)
  })
})
