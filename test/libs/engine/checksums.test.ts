import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ARTEFACT, computeChecksums, ENGINE_FOLDER } from '../../../libs/engine/checksums.ts'

describe('the committed engine', () => {
  it('was built from the Go sources beside it; after a change there run node libs/engine/build.ts', () => {
    assert.equal(readFileSync(join(ENGINE_FOLDER, 'engine.sha256'), 'utf8'), computeChecksums())
  })

  it('lists every Go source, the module’s lock and the artefact, before and after compression', () => {
    const names = computeChecksums().match(/\S+$/gm)
    for (const name of ['go/main.go', 'go/functions.go', 'go/go.mod', 'go/go.sum', ARTEFACT, 'engine.wasm'])
      assert.ok(names?.includes(name), name)
  })

  it('stays small enough for a repository', () => {
    assert.ok(statSync(join(ENGINE_FOLDER, ARTEFACT)).size < 4 << 20)
  })
})
