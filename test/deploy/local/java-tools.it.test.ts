import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { findJava, findMaven } from '../../../deploy/local/java-tools.ts'

const NOTHING = 'there is nothing here that could fetch one'
const nothingPackaged = (): Promise<string> => Promise.reject(new Error(NOTHING))
const notAsked = (): Promise<string> => assert.fail('the packaged one was asked for')

let root: string
/** A folder that is the whole path. */
let path: string

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'postrider-tools-'))
})
after(() => rm(root, { recursive: true, force: true }))
beforeEach(async () => {
  path = await mkdtemp(join(root, 'path-'))
})

async function program(file: string, script: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

function java(file: string, version: string): Promise<void> {
  return program(file, `echo 'openjdk version "${version}" 2025-04-15' >&2`)
}

describe('findJava', () => {
  it('prefers the Java of JAVA_HOME to the one on the path', async () => {
    const home = join(path, 'home')
    await java(join(home, 'bin', 'java'), '21.0.1')
    await java(join(path, 'java'), '17.0.15')
    assert.equal(await findJava({ PATH: path, JAVA_HOME: home }, notAsked), join(home, 'bin', 'java'))
    assert.equal(await findJava({ PATH: path }, notAsked), 'java')
  })

  it('takes the one on the path where that of JAVA_HOME is too old', async () => {
    const home = join(path, 'home')
    await java(join(home, 'bin', 'java'), '1.8.0_402')
    await java(join(path, 'java'), '17')
    assert.equal(await findJava({ PATH: path, JAVA_HOME: home }, notAsked), 'java')
  })

  it('takes the packaged one where none is new enough or one only pretends to be a Java', async () => {
    const packaged = (): Promise<string> => Promise.resolve('/packaged/bin/java')
    assert.equal(await findJava({ PATH: path }, packaged), '/packaged/bin/java')
    await java(join(path, 'java'), '11.0.2')
    assert.equal(await findJava({ PATH: path }, packaged), '/packaged/bin/java')
    await program(join(path, 'java'), 'echo "Unable to locate a Java Runtime." >&2; exit 1')
    assert.equal(await findJava({ PATH: path }, packaged), '/packaged/bin/java')
  })

  it('says what it needs, found and tried, and both ways out', async () => {
    await assert.rejects(findJava({ PATH: path }, nothingPackaged), {
      code: 'TOOL_MISSING',
      message: new RegExp(`^the embedded Kafka needs Java 17 or later \\(${NOTHING}\\): .*install.*KAFKA_BROKERS=`),
    })
    await java(join(path, 'java'), '11.0.2')
    await assert.rejects(findJava({ PATH: path }, nothingPackaged), /Java 17 or later, found 11 \(/)
  })
})

describe('findMaven', () => {
  it('takes the one on the path and tells it the Java', async () => {
    await program(join(path, 'mvn'), 'exit 0')
    const maven = await findMaven({ PATH: `:${path}` }, '/packaged/bin/java', notAsked)
    assert.deepEqual([maven.file, maven.args, maven.env.JAVA_HOME], [join(path, 'mvn'), [], '/packaged'])
  })

  it('leaves JAVA_HOME as it is where the Java is the one on the path', async () => {
    await program(join(path, 'mvn'), 'exit 0')
    const maven = await findMaven({ PATH: path }, 'java', notAsked)
    assert.equal(maven.env.JAVA_HOME, undefined)
  })

  it('runs the packaged one by Java where none is on the path', async () => {
    const maven = await findMaven({ PATH: path }, 'java', () => Promise.resolve('/packaged/maven'))
    assert.equal(maven.file, 'java')
    assert.ok(maven.args.includes('-Dmaven.home=/packaged/maven'))
  })

  it('says what it needs and tried, and both ways out', async () => {
    await assert.rejects(findMaven({ PATH: path }, 'java', nothingPackaged), {
      code: 'TOOL_MISSING',
      message: new RegExp(`^the embedded Kafka needs Maven, .* \\(${NOTHING}\\): .*install.*KAFKA_BROKERS=`),
    })
  })
})
