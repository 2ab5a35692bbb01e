import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { describe, it } from 'node:test'
import { Agent, request } from 'undici'
import { AddressRefused, type Guard, guardedConnector, openGuard } from '#libs/resources'
import { type HttpSink, openHttpSink } from '../../support/http-sink.ts'

async function get(url: string, guard: Guard): Promise<number> {
  const agent = new Agent({ connect: guardedConnector(guard.forUrl(url)) })
  try {
    const { statusCode, body } = await request(url, { dispatcher: agent })
    await body.dump()
    return statusCode
  } finally {
    await agent.destroy()
  }
}

function resolving(addresses: string[][]): LookupFunction {
  return (_hostname, options, callback) => {
    const found = (addresses.shift() ?? []).map((address) => ({ address, family: 4 }))
    if (options.all === true) callback(null, found)
    else callback(null, found[0]?.address ?? '', 4)
  }
}

async function refused(sink: HttpSink, url: string, guard: Guard): Promise<void> {
  await assert.rejects(get(url, guard), AddressRefused)
  assert.equal(sink.connections(), 0)
}

describe('guardedConnector', () => {
  const HOSTS = ['127.0.0.1', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '127.1', '0.0.0.0', 'localhost', '[::1]']
  for (const host of HOSTS) {
    it(`does not connect to ${host}`, async () => {
      await using sink = await openHttpSink()
      await refused(sink, `http://${host}:${sink.port}/`, openGuard({ disallowPrivate: true }))
    })
  }

  it('connects to exceptions, and everywhere when off', async () => {
    await using sink = await openHttpSink()
    const url = `${sink.origin}/send?key=1`
    assert.equal(await get(url, openGuard({ disallowPrivate: true, exceptionUrls: [`${sink.origin}/send`] })), 202)
    assert.equal(await get(url, openGuard({ disallowPrivate: false })), 202)
  })

  it('does not connect a name with a private address, whatever the name server said before or says beside it', async () => {
    await using sink = await openHttpSink()
    const resolve = resolving([['127.0.0.1'], ['8.8.8.8', '127.0.0.1']])
    const guard = openGuard({ disallowPrivate: true, resolve })
    await refused(sink, `http://rebinding.test:${sink.port}/`, guard)
    await refused(sink, `http://rebinding.test:${sink.port}/`, guard)
  })

  it('connects a name to the address that was looked at, without a second look', async () => {
    await using sink = await openHttpSink()
    const guard = openGuard({ disallowPrivate: false, resolve: resolving([['127.0.0.1']]) })
    assert.equal(await get(`http://only-here.test:${sink.port}/`, guard), 202)
    assert.equal(sink.requests[0]?.headers.host, `only-here.test:${sink.port}`)
  })
})
