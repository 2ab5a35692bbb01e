/** Fetches the real runtime by pip, once per clone. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { rootCertificates } from 'node:tls'
import { promisify } from 'node:util'
import { messageOf } from '#libs/errors'
import { findJava } from '../../../deploy/local/java-tools.ts'
import { ensurePackagedJava } from '../../../deploy/local/packaged-java.ts'

const run = promisify(execFile)
const noLog = (): void => undefined

const [java, why] = await ensurePackagedJava(noLog).then(
  (file) => [file, ''] as const,
  (error: unknown) => ['', messageOf(error)] as const,
)
const skip = /no pip/.test(why) ? why : false

describe('ensurePackagedJava', { skip }, () => {
  it('brings a Java that findJava takes, with what Kafka is made of', async () => {
    assert.equal(why, '')
    assert.equal(await findJava({ PATH: '', JAVA_HOME: dirname(dirname(java)) }, () => assert.fail('too old')), java)
    const { stdout } = await run(java, ['--list-modules'])
    const modules = stdout.split('\n').map((line) => line.split('@')[0])
    for (const needed of ['java.management', 'java.naming', 'java.security.sasl', 'java.sql', 'jdk.unsupported']) {
      assert.ok(modules.includes(needed), needed)
    }
  })

  it('makes it trust whom Node trusts, in a store that Java reads', async () => {
    const home = dirname(dirname(java))
    const store = join(home, 'lib', 'security', 'jssecacerts')
    const { stdout } = await run(join(home, 'bin', 'keytool'), ['-list', '-keystore', store, '-storepass', 'changeit'])
    const trusted = stdout.match(/trustedCertEntry/g)?.length ?? 0
    assert.ok(trusted >= rootCertificates.length, `${trusted} of at least ${rootCertificates.length}`)
  })
})
