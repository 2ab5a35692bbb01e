import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { embedFiles } from '../../../deploy/cli/embed-files.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postrider-embed-'))
  await writeFile(join(folder, 'b.jsonnet'), Buffer.from([0x66, 0x00, 0xff]))
})
after(() => rm(folder, { recursive: true }))

describe('embedFiles', () => {
  it('puts the bytes of a file in place of its URI, from the root or from the working directory', async () => {
    const absolute = `file://${join(folder, 'b.jsonnet')}`
    const local = `file://${relative('.', join(folder, 'b.jsonnet'))}`
    assert.deepEqual(await embedFiles({ a: [{ body: absolute }], b: local, c: 'https://x', d: 1, e: null }, 'x'), {
      a: [{ body: 'base64://ZgD/' }],
      b: 'base64://ZgD/',
      c: 'https://x',
      d: 1,
      e: null,
    })
  })

  it('leaves $id and $schema as they are', async () => {
    const value = { $id: 'file://gone', a: { $schema: 'file://gone' } }
    assert.deepEqual(await embedFiles(value, 'x'), value)
  })

  it('names document, key and path of a file that is missing', async () => {
    const missing = join(folder, 'gone.jsonnet')
    await assert.rejects(embedFiles({ courier: { channels: [{ body: `file://${missing}` }] } }, 'a.yaml'), {
      message: `a.yaml: courier.channels.0.body: there is no such file: ${missing}`,
    })
    await assert.rejects(
      embedFiles({ a: `file://${folder}` }, 'a.yaml'),
      /a\.yaml: a: the file cannot be read \(EISDIR\)/,
    )
  })
})
