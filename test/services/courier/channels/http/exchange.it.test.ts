import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { openGuard } from '#libs/resources'
import { openHttpSink, replying } from '../../../../support/http-sink.ts'
import { freePort } from '../../../../support/servers.ts'
import { selfSigned } from '../smtp/certificates.ts'
import { openChannel, openFixture, outgoingMail, sendBy } from './http-fixture.ts'

/** A server on TCP, for what no HTTP server would do. */
async function openRawServer(onSocket: (socket: Socket) => void): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    onSocket(socket.on('error', () => socket.destroy()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/send?key=s3cret`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('the exchange of openHttpChannel', () => {
  // At once, since most of them wait for time to pass.
  describe('without a whole answer', { concurrency: true }, () => {
    it('counts from its status on, even where the rest never comes', async () => {
      await using fixture = await openFixture({ timeoutMs: 2_000 }, (_request, response) => {
        response.writeHead(202, { 'content-length': '100', 'x-message-id': 'p-7' }).write('{')
      })
      const { outcome, providerMessageId } = await fixture.send()
      assert.deepEqual([outcome, providerMessageId], ['accepted', 'p-7'])
    })

    it('is unknown when the time is over after the whole request had left', async () => {
      await using fixture = await openFixture({ timeoutMs: 2_000 }, () => undefined)
      const { outcome, failure } = await fixture.send()
      assert.deepEqual([outcome, failure?.class], ['unknown', 'ambiguous'])
      assert.equal(
        failure?.message,
        `POST 127.0.0.1:${fixture.sink.port}: it gave no answer in time after the whole request had left: the message may have been delivered`,
      )
      fixture.sink.answer = replying(202)
      assert.equal((await fixture.send()).outcome, 'accepted')
    })

    it('ends by the deadline of the mail', async () => {
      await using fixture = await openFixture({ timeoutMs: 60_000, now: () => 0 }, () => undefined)
      assert.equal((await fixture.send({ deadline: 2_000 })).outcome, 'unknown')
      const { failure } = await fixture.send({ deadline: 0 })
      assert.equal(failure?.message, 'the time of this try was over before the request could be made')
      assert.equal(fixture.sink.requests.length, 1)
    })

    it('is unknown when the connection breaks after the whole request had left', async () => {
      await using fixture = await openFixture({}, (_request, response) => response.destroy())
      const { outcome, failure } = await fixture.send()
      assert.deepEqual([outcome, failure?.class], ['unknown', 'ambiguous'])
      assert.match(failure?.message ?? '', /gave no answer and closed the connection after the whole request had left/)
    })

    it('has failed when the server does not take the whole request', async () => {
      await using server = await openRawServer((socket) => socket.pause())
      const json = `"${'x'.repeat(32 * 1024 * 1024)}"`
      const channel = openChannel(server.url, {
        timeoutMs: 2_000,
        engine: { evaluate: async () => ({ ok: true, json }) },
      })
      const { outcome, failure } = await sendBy(channel, outgoingMail())
      assert.deepEqual([outcome, failure?.class], ['failed', 'network'])
      assert.match(failure?.message ?? '', /it took the request too slowly$/)
      await channel.close()
    })

    it('is unknown when the answer is not HTTP', async () => {
      await using server = await openRawServer((socket) => socket.once('data', () => socket.end('220 ready\r\n')))
      const channel = openChannel(server.url)
      assert.equal((await sendBy(channel, outgoingMail())).outcome, 'unknown')
      await channel.close()
    })

    it('says in words that nobody listens', async () => {
      const port = await freePort()
      const channel = openChannel(`http://127.0.0.1:${port}/send?key=s3cret`)
      const { outcome, failure, timings } = await sendBy(channel, outgoingMail())
      assert.deepEqual([outcome, failure?.class], ['failed', 'network'])
      assert.equal(
        failure?.message,
        `POST 127.0.0.1:${port}: it refused the connection: check that it runs, and the host and port (courier.http.request_config.url)`,
      )
      assert.ok(timings.connectMs !== undefined)
      await channel.close()
    })

    it('says in words that the host is unknown', async () => {
      const channel = openChannel('http://nowhere.invalid/')
      const { failure } = await sendBy(channel, outgoingMail())
      assert.equal(failure?.class, 'network')
      assert.match(failure?.message ?? '', /^POST nowhere\.invalid: it cannot be (found in DNS|looked up)/)
      await channel.close()
    })
  })

  describe('with TLS', () => {
    it('checks the certificate, and says what is wrong with it', async () => {
      const certificate = selfSigned('127.0.0.1')
      await using sink = await openHttpSink(undefined, certificate)
      const channel = openChannel(sink.origin)
      const { outcome, failure } = await sendBy(channel, outgoingMail())
      assert.deepEqual([outcome, failure?.class], ['failed', 'tls'])
      assert.match(failure?.message ?? '', /it has a self-signed certificate: install one of a known authority$/)
      assert.equal(sink.requests.length, 0)
      await channel.close()
    })

    it('says which version it spoke', async () => {
      const certificate = selfSigned('localhost')
      await using sink = await openHttpSink(undefined, certificate)
      const channel = openChannel(`https://localhost:${sink.port}/`, { tls: { ca: certificate.cert } })
      const { outcome, peer, failure } = await sendBy(channel, outgoingMail())
      assert.equal(outcome, 'accepted', failure?.message)
      assert.deepEqual([peer?.host, peer?.tls], ['localhost', 'TLSv1.3'])
      await channel.close()
    })
  })

  describe('behind a guard', () => {
    const HOSTS = ['127.0.0.1', '127.1', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0', 'localhost']
    for (const host of HOSTS) {
      it(`does not reach ${host}`, async () => {
        await using sink = await openHttpSink()
        const channel = openChannel(`http://${host}:${sink.port}/`, { guard: openGuard({ disallowPrivate: true }) })
        const { outcome, failure } = await sendBy(channel, outgoingMail())
        assert.deepEqual([outcome, failure?.class, sink.connections()], ['failed', 'network', 0])
        assert.match(
          failure?.message ?? '',
          /it is out of bounds: no (route to|such) host: clients\.http\.disallow_private/,
        )
        await channel.close()
      })
    }

    it('reaches an exception', async () => {
      await using sink = await openHttpSink()
      const guard = openGuard({ disallowPrivate: true, exceptionUrls: ['http://127.0.0.1:*/send'] })
      const channel = openChannel(`${sink.origin}/send`, { guard })
      assert.equal((await sendBy(channel, outgoingMail())).outcome, 'accepted')
      await channel.close()
    })
  })
})
