import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ensureFolder } from '../../../deploy/local/cached-folder.ts'

describe('ensureFolder', () => {
  let root: string
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'postrider-cache-'))
  })
  after(() => rm(root, { recursive: true, force: true }))

  it('is filled by one of two at once, and by nobody again', async () => {
    const folder = join(root, 'two', 'folder')
    let waiting = 0
    const bothFill = Promise.withResolvers<void>()
    const fill = (content: string) => async (next: string) => {
      if (++waiting === 2) bothFill.resolve()
      await bothFill.promise
      await writeFile(join(next, 'content'), content)
    }
    await Promise.all([ensureFolder(folder, fill('whole')), ensureFolder(folder, fill('whole'))])
    await ensureFolder(folder, () => assert.fail('filled again'))
    assert.equal(await readFile(join(folder, 'content'), 'utf8'), 'whole')
    assert.deepEqual(await readdir(join(root, 'two')), ['folder'])
  })

  it('leaves nothing when it cannot be filled', async () => {
    const folder = join(root, 'failed', 'folder')
    const fill = async (next: string): Promise<void> => {
      await writeFile(join(next, 'half'), '')
      throw new Error('cut off')
    }
    await assert.rejects(ensureFolder(folder, fill), /cut off/)
    assert.deepEqual(await readdir(join(root, 'failed')), [])
  })
})
