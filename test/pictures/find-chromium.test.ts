import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { findChromium } from './find-chromium.ts'

const silent = (): void => undefined

async function executable(t: TestContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postrider-chromium-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, name)
  await writeFile(path, '')
  await chmod(path, 0o755)
  return path
}

describe('findChromium', () => {
  it('takes CHROMIUM_PATH before anything else', async (t) => {
    const path = await executable(t, 'mine')
    const other = await executable(t, 'chromium')
    const found = await findChromium({ CHROMIUM_PATH: path, PATH: join(other, '..') }, silent)
    assert.equal(found.executablePath, path)
  })

  it('takes the first one on PATH, by any of its names', async (t) => {
    const path = await executable(t, 'google-chrome')
    assert.equal((await findChromium({ PATH: `/nowhere:${join(path, '..')}` }, silent)).executablePath, path)
  })

  it('names the variable that leads nowhere', async () => {
    await assert.rejects(findChromium({ CHROMIUM_PATH: '/nowhere/chromium' }, silent), {
      message: 'CHROMIUM_PATH: found /nowhere/chromium, expected the path of a Chromium to run',
    })
  })
})
