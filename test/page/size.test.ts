/** What a browser has to fetch before it shows anything. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { buildPage } from '../../deploy/local/build-page.ts'

const BUILT = join(import.meta.dirname, '..', '..', '.cache', 'page')
const MOST_BYTES = 60 * 1024

describe('the built page', () => {
  before(() => buildPage())

  it('is smaller than 60 KiB, all views of it together and compressed', (t) => {
    const files = globSync('**/*.{html,js,css,svg}', { cwd: BUILT })
    assert.ok(files.length >= 3, `found only ${files}`)
    const sizeBytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(BUILT, file))).length, 0)
    t.diagnostic(`${sizeBytes} bytes`)
    assert.ok(sizeBytes < MOST_BYTES, `${sizeBytes} bytes`)
  })

  it('fetches nothing from elsewhere', () => {
    const document = readFileSync(join(BUILT, 'index.html'), 'utf8')
    const fetched = [...document.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!)
    assert.ok(fetched.length > 0)
    assert.deepEqual(
      fetched.filter((url) => !url.startsWith('/assets/')),
      [],
    )
  })
})
