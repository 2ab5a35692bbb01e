/** Java and Maven of this machine, or one clear line on how to get them. */
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { CodedError } from '#libs/errors'

const run = promisify(execFile)
const OLDEST_JAVA = 17

/** The path of a Java of version 17 or later: JAVA_HOME's, else the first on the path. @throws TOOL_MISSING */
export async function findJava(env: NodeJS.ProcessEnv): Promise<string> {
  const found: string[] = []
  for (const file of [...(env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin', 'java')] : []), 'java']) {
    const version = await javaVersion(file)
    if (version !== undefined && version >= OLDEST_JAVA) return file
    if (version !== undefined) found.push(String(version))
  }
  const what = found.length > 0 ? `Java ${OLDEST_JAVA} or later, found ${found.join(', ')}` : `Java ${OLDEST_JAVA}`
  throw missing(what, await installCommand())
}

/** The path of Maven. @throws TOOL_MISSING */
export async function findMaven(env: NodeJS.ProcessEnv): Promise<string> {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const file = join(folder, 'mvn')
    if (folder !== '' && (await isExecutable(file))) return file
  }
  throw missing('Maven, which fetches it once', await installCommand())
}

function missing(what: string, install: string): CodedError {
  const message = `the embedded Kafka needs ${what}: ${install}, or use a broker of your own: KAFKA_BROKERS=host:port npm start`
  return new CodedError('TOOL_MISSING', message)
}

async function javaVersion(file: string): Promise<number | undefined> {
  try {
    // Printed to stderr as `openjdk version "17.0.15" …`; macOS has a stub that fails instead.
    const { stderr } = await run(file, ['-version'])
    const version = /version "(?:1\.)?(\d+)/.exec(stderr)?.[1]
    return version === undefined ? undefined : Number(version)
  } catch {
    return undefined // not there, or a stub: the caller names the remedy
  }
}

async function installCommand(): Promise<string> {
  const managers: readonly [folder: string, file: string, command: string][] = [
    ['/usr/bin', 'apt-get', 'apt-get install -y maven'],
    ['/usr/bin', 'dnf', 'dnf install -y maven'],
    ['/sbin', 'apk', 'apk add openjdk17-jre-headless maven'],
    ['/usr/bin', 'pacman', 'pacman -S maven'],
    ['/usr/bin', 'zypper', 'zypper install -y maven'],
    ['/opt/homebrew/bin', 'brew', 'brew install maven'],
    ['/usr/local/bin', 'brew', 'brew install maven'],
  ]
  for (const [folder, file, command] of managers) {
    if (await isExecutable(join(folder, file))) {
      const needsSudo = process.getuid?.() !== 0 && file !== 'brew'
      return `${needsSudo ? 'sudo ' : ''}${command} (brings Java too)`
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
