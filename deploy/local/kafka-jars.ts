/** The jars of Apache Kafka, fetched once per content of pom.xml into .cache/kafka of the clone. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CodedError } from '#libs/errors'
import { findMaven } from './java-tools.ts'

const run = promisify(execFile)
const pom = join(import.meta.dirname, 'pom.xml')
const cache = join(import.meta.dirname, '..', '..', '.cache', 'kafka')

/** The folder of the jars; fetched first where it is missing. @throws TOOL_MISSING without Maven, SERVER_START_FAILED when it fails */
export async function ensureKafkaJars(log: (line: string) => void, stopping?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 16)
  const folder = join(cache, hash)
  if (await exists(folder)) return folder
  const maven = await findMaven(process.env)
  log('Kafka: fetching Apache Kafka by Maven (first time, 54 MB)…')
  await mkdir(cache, { recursive: true })
  const next = await mkdtemp(join(cache, 'next-'))
  try {
    await copyJars(maven, next, stopping)
    await rename(next, folder)
  } catch (error) {
    if (!(await exists(folder))) throw error // else: another start was quicker
  } finally {
    await rm(next, { recursive: true, force: true })
  }
  return folder
}

async function copyJars(maven: string, folder: string, signal?: AbortSignal): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`]
  try {
    await run(maven, ['-q', '-B', '-f', pom, ...goal], { maxBuffer: 16 * 1024 * 1024, signal })
  } catch (cause) {
    const output = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : ''
    const reason = output.split('\n').find((line) => line.includes('ERROR')) ?? 'no reason given'
    throw new CodedError('SERVER_START_FAILED', `Maven could not fetch Apache Kafka: ${reason}`, { cause })
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
