import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openGuard } from '#libs/resources'
import { openHttpSink, replying } from '../../../../support/http-sink.ts'
import { freePort } from '../../../../support/servers.ts'
import { assertPhases } from '../phases.ts'
import { selfSigned } from '../smtp/certificates.ts'
import { base64, openChannel, openFixture, outgoingMail, sendBy } from './http-fixture.ts'

const REQUEST = ['request', 'response']

/** Every name is this machine. */
const thisMachine = openGuard({
  disallowPrivate: false,
  resolve: (_name, options, callback) => {
    const found = [{ address: '127.0.0.1', family: 4 }]
    queueMicrotask(() => (options.all ? callback(null, found) : callback(null, '127.0.0.1', 4)))
  },
})

describe('the phases of a try over HTTP', () => {
  it('are those of the connection and of the request', async () => {
    await using fixture = await openFixture()
    assertPhases(await fixture.send(), ['tcp', ...REQUEST])
  })

  it('are those of the request alone where the connection was open', async () => {
    await using fixture = await openFixture()
    await fixture.send()
    const attempt = await fixture.send()
    assert.equal(attempt.reused, true)
    assertPhases(attempt, REQUEST)
  })

  it('are told for every connection anew', async () => {
    await using fixture = await openFixture({}, replying(200, '', { connection: 'close' }))
    await fixture.send()
    assertPhases(await fixture.send(), ['tcp', ...REQUEST])
  })

  it('have the look-up of a name', async () => {
    await using sink = await openHttpSink()
    const channel = openChannel(`http://localhost:${sink.port}/send`, {
      guard: thisMachine,
    })
    assertPhases(await sendBy(channel, outgoingMail()), ['dns', 'tcp', ...REQUEST])
    await channel.close()
  })

  it('do not call TLS the opening of the connection', async () => {
    const certificate = selfSigned('localhost')
    await using sink = await openHttpSink(undefined, certificate)
    const channel = openChannel(`https://localhost:${sink.port}/send`, {
      tls: { ca: certificate.cert },
      guard: thisMachine,
    })
    const attempt = await sendBy(channel, outgoingMail())
    assert.equal(attempt.outcome, 'accepted')
    assertPhases(attempt, ['dns', ...REQUEST])
    await channel.close()
  })

  it('end where the try ended', async () => {
    const nobody = openChannel(`http://127.0.0.1:${await freePort()}/send`)
    assertPhases(await sendBy(nobody, outgoingMail()), ['tcp'])
    await nobody.close()

    await using silent = await openFixture({ timeoutMs: 300 }, () => undefined)
    assertPhases(await silent.send(), ['tcp', 'request'])

    await using broken = await openFixture({ config: { body: base64('error "cancel"') } })
    assertPhases(await broken.send(), [])
  })
})
