import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import { openGuard, openResources, type ResourceOptions, type Resources } from '#libs/resources'
import { openHttpSink, replying } from '../../support/http-sink.ts'
import { freePort } from '../../support/servers.ts'

interface Fixture {
  readonly resources: Resources
  readonly pass: (ms: number) => void
}

function open(options: Partial<ResourceOptions> = {}): Fixture {
  let nowMs = 0
  const resources = openResources({
    guard: openGuard({ disallowPrivate: false }),
    retryDelayMs: 1,
    now: () => nowMs,
    ...options,
  })
  return {
    resources,
    pass: (ms) => {
      nowMs += ms
    },
  }
}

async function text(resources: Resources, uri: string): Promise<string> {
  return (await resources.load(uri)).toString()
}

describe('openResources', () => {
  it('decodes inline data, and refuses bad ones without repeating them', async () => {
    const { resources } = open()
    assert.equal(await text(resources, 'base64://aGVsbG8='), 'hello')
    await assert.rejects(
      resources.load('base64://c2VjcmV0_'),
      (error) => isCoded(error, 'CONFIG_INVALID') && !error.message.includes('c2VjcmV0'),
    )
  })

  it('names the schemes that there are', async () => {
    const { resources } = open()
    const allowed = 'allowed are http://, https://, file:// and base64://'
    await assert.rejects(resources.load('ftp://host/x'), { message: `unknown scheme ftp://: ${allowed}` })
    await assert.rejects(resources.load('template.jsonnet'), { message: `a URI without a scheme: ${allowed}` })
  })

  it('reads files by absolute and relative path, as the path stands', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'resources-'))
    t.after(() => rm(folder, { recursive: true }))
    const path = join(folder, 'a%20b.jsonnet')
    await writeFile(path, 'one')
    const { resources, pass } = open()
    assert.equal(await text(resources, `file://${path}`), 'one')
    assert.equal(await text(resources, `file://${relative(process.cwd(), path)}`), 'one')

    await writeFile(path, 'two')
    assert.equal(await text(resources, `file://${path}`), 'one')
    pass(5_000)
    assert.equal(await text(resources, `file://${path}`), 'two')

    await rm(path)
    pass(5_000)
    assert.equal(await text(resources, `file://${path}`), 'two', 'the last copy serves on')
  })

  it('says what is wrong with a file', async () => {
    const { resources } = open({ maxBytes: 10 })
    const failing: [uri: string, message: RegExp][] = [
      ['file:///no/such/file', /^file \/no\/such\/file: does not exist$/],
      ['file:///', /^file \/: is no file$/],
      ['file:///dev/zero', /^file \/dev\/zero: is no file$/],
      ['file://./package.json', /has \d+ bytes, at most 10 will do$/],
    ]
    for (const [uri, message] of failing) {
      await assert.rejects(
        resources.load(uri),
        (error) => isCoded(error, 'RESOURCE_UNAVAILABLE') && message.test(error.message),
      )
    }
  })

  it('fetches once for all callers, and again after five minutes', async () => {
    await using sink = await openHttpSink(replying(200, 'one'))
    const { resources, pass } = open()
    const uri = `${sink.origin}/t.jsonnet?key=1`
    assert.deepEqual(await Promise.all([text(resources, uri), text(resources, uri)]), ['one', 'one'])
    sink.answer = replying(200, 'two')
    pass(299_999)
    assert.equal(await text(resources, uri), 'one')
    assert.equal(sink.requests.length, 1)
    pass(1)
    assert.equal(await text(resources, uri), 'two')
    assert.equal(sink.requests.length, 2)
    assert.equal(sink.requests[0]?.path, '/t.jsonnet?key=1')
  })

  it('goes on with the last copy while there is no new one', async () => {
    await using sink = await openHttpSink(replying(200, 'one'))
    const { resources, pass } = open()
    const uri = `${sink.origin}/t.jsonnet`
    await resources.load(uri)
    sink.answer = replying(404)
    pass(300_000)
    assert.equal(await text(resources, uri), 'one')
    sink.answer = replying(200, 'two')
    assert.equal(await text(resources, uri), 'one', 'not every caller tries')
    pass(30_000)
    assert.equal(await text(resources, uri), 'two')
  })

  it('tries twice more where that may help', async () => {
    await using sink = await openHttpSink((_request, response) => {
      response.writeHead(sink.requests.length < 3 ? 503 : 200).end('third')
    })
    assert.equal(await text(open().resources, sink.origin), 'third')
    sink.answer = replying(503)
    await assert.rejects(open().resources.load(sink.origin), {
      message: `127.0.0.1:${sink.port} answered 503, only 200 will do`,
    })
    assert.equal(sink.requests.length, 6)
  })

  for (const status of [201, 204, 302, 404]) {
    it(`takes no ${status}, at once and without following it`, async () => {
      await using sink = await openHttpSink(replying(status, '', { location: '/elsewhere' }))
      await assert.rejects(open().resources.load(`${sink.origin}/secret?key=1`), {
        code: 'RESOURCE_UNAVAILABLE',
        message: `127.0.0.1:${sink.port} answered ${status}, only 200 will do`,
      })
      assert.equal(sink.requests.length, 1)
    })
  }

  it('tries anew after a failure with no copy', async () => {
    await using sink = await openHttpSink(replying(404))
    const { resources } = open()
    await assert.rejects(resources.load(sink.origin))
    sink.answer = replying(200, 'there')
    assert.equal(await text(resources, sink.origin), 'there')
  })

  it('cuts off what is too long, and what takes too long', async () => {
    await using sink = await openHttpSink(replying(200, 'x'.repeat(11)))
    await assert.rejects(open({ maxBytes: 10 }).resources.load(sink.origin), /sent more than 10 bytes$/)
    sink.answer = () => undefined
    await assert.rejects(open({ timeoutMs: 50 }).resources.load(sink.origin), /gave no whole answer within 0.05 s$/)
  })

  it('says in words that nobody listens', async () => {
    const port = await freePort()
    await assert.rejects(open().resources.load(`http://127.0.0.1:${port}/`), {
      code: 'RESOURCE_UNAVAILABLE',
      message: `127.0.0.1:${port} refused the connection: check that it runs, and the host and port`,
    })
  })

  it('keeps to the guard', async () => {
    await using sink = await openHttpSink(replying(200, 'inside'))
    const guard = openGuard({ disallowPrivate: true, exceptionUrls: [`${sink.origin}/allowed`] })
    const { resources } = open({ guard })
    await assert.rejects(resources.load(`${sink.origin}/t`), /clients\.http\.disallow_private_ip_ranges/)
    assert.equal(sink.connections(), 0)
    assert.equal(await text(resources, `${sink.origin}/allowed`), 'inside')
  })

  it('sends user and password of the URL', async () => {
    await using sink = await openHttpSink(replying(200, 'known'))
    await open().resources.load(`http://me:12%3A45@127.0.0.1:${sink.port}/`)
    assert.equal(sink.requests[0]?.headers.authorization, `Basic ${Buffer.from('me:12:45').toString('base64')}`)
  })
})
