import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { readSource, splitSources } from '../../../deploy/cli/read-source.ts'

/** Answers with the credentials it was given where `text` is undefined. */
async function serve(t: TestContext, status: number, text?: string): Promise<string> {
  const server = createServer(({ headers }, response) => {
    response.writeHead(status).end(text ?? `authorization: ${headers.authorization}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('splitSources', () => {
  it('takes several at commas, but not within an address', () => {
    assert.deepEqual(splitSources('a.yaml,b.json'), ['a.yaml', 'b.json'])
    assert.deepEqual(splitSources('https://x.example/a,b'), ['https://x.example/a,b'])
  })
})

describe('readSource', () => {
  it('reads a path, file:// and base64://', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'postrider-source-'))
    t.after(() => rm(folder, { recursive: true }))
    const path = join(folder, 'a.yaml')
    await writeFile(path, 'a: ä\n')
    assert.deepEqual(await readSource(path), { name: path, text: 'a: ä\n' })
    assert.deepEqual(await readSource(`file://${path}`), { name: path, text: 'a: ä\n' })
    const encoded = Buffer.from('a: ä\n').toString('base64')
    assert.deepEqual(await readSource(`base64://${encoded}`), { name: 'base64://…', text: 'a: ä\n' })
  })

  it('fetches an address', async (t) => {
    const host = await serve(t, 200, '{"a":1}')
    assert.deepEqual(await readSource(`http://${host}/a.json?token=hunter2`), {
      name: `http://${host}/a.json`,
      text: '{"a":1}',
    })
  })

  it('sends user and password of an address', async (t) => {
    const { text } = await readSource(`http://me:p%40ss@${await serve(t, 200)}/a.yaml`)
    assert.equal(text, `authorization: Basic ${Buffer.from('me:p@ss').toString('base64')}`)
  })

  it('says what is wrong with a source, and never repeats credentials of an address', async (t) => {
    const host = await serve(t, 404, 'gone')
    for (const [source, message] of [
      ['/gone.yaml', '/gone.yaml: there is no such file: /gone.yaml'],
      ['base64://%', 'base64://…: what follows is no base64'],
      ['a.toml', 'a.toml: allowed are yaml, yml and json; convert the file'],
      [
        's3://me:hunter2@x/a.yaml',
        's3://x/a.yaml: found another scheme, allowed a path, file://, http(s)://, base64:// and -',
      ],
      [`http://me:hunter2@${host}/a`, `http://${host}/a: answered 404, expected the document`],
    ] as const) {
      await assert.rejects(readSource(source), { message })
    }
    await assert.rejects(readSource(`http://${host}/a?token=hunter2`), {
      message: `http://${host}/a: answered 404, expected the document`,
    })
    await assert.rejects(readSource('http://127.0.0.1:9/a'), /^Error: http:\/\/127\.0\.0\.1:9\/a: no answer \(/)
  })
})
