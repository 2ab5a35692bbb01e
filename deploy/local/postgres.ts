/** The embedded PostgreSQL of one machine: real binaries, durable settings, 127.0.0.1 only, its data in the state folder. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '#libs/errors'
import { isRunning, stopProcess } from './foreign-process.ts'
import { requireFreePort } from './local-port.ts'
import { type Account, findPostgresPlace, type PostgresPlace, possibleFolders } from './postgres-place.ts'
import { lastLines, type ServerProcess, startServer, untilReady } from './server-process.ts'
import { readState, writeState } from './state-file.ts'

export interface EmbeddedServerOptions {
  /** State folder, absolute. */
  readonly home: string
  readonly port: number
  /** Takes a short line of progress. */
  readonly log: (line: string) => void
  /** Gives up the start when aborted: what was begun is stopped, and the promise rejects. */
  readonly stopping?: AbortSignal | undefined
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** Of the superuser `postrider` and the database `postrider`; holds the password. */
  readonly url: string
  readonly pid: number
  /** Resolves with the reason when the server ends, asked or not. */
  readonly ended: Promise<string>
}

interface PostgresRecord {
  readonly password: string
  readonly folder: string
}

const USER = 'postrider'
const DATABASE = 'postrider'

/**
 * Starts PostgreSQL on the data of `home`, made at the first start, and resolves when it answers. A server that a killed start left
 * behind on the same data is stopped first.
 * @throws PORT_TAKEN, SERVER_START_FAILED, TOOL_MISSING
 */
export async function openEmbeddedPostgres(options: EmbeddedServerOptions): Promise<EmbeddedPostgres> {
  const { home, port, log, stopping } = options
  const place = await findPostgresPlace(home)
  const data = join(place.folder, 'data')
  const logPath = join(home, 'logs', 'postgres.log')
  await stopLeftover(data, log)
  await requireFreePort(port, 'PostgreSQL', 'POSTRIDER_POSTGRES_PORT')
  const password = await ensureCluster(home, place, log)

  const server = await startOn(place, data, { port, logPath, stopping })
  return {
    url: `postgres://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`,
    pid: server.pid,
    ended: server.ended,
    [Symbol.asyncDispose]: () => stopServer(server.pid, data),
  }
}

/** Removes the data of `home`, also where it lives outside of it, after stopping a server that still runs on it. */
export async function removePostgresData(home: string): Promise<void> {
  for (const folder of possibleFolders(home)) {
    await stopLeftover(join(folder, 'data'))
    await rm(folder, { recursive: true, force: true })
  }
  await rm(recordPath(home), { force: true })
}

/** Makes the cluster in a folder beside its place and renames it when whole: a start killed half-way begins anew. */
async function ensureCluster(home: string, place: PostgresPlace, log: (line: string) => void): Promise<string> {
  const data = join(place.folder, 'data')
  const record = await readState<PostgresRecord>(recordPath(home))
  if (record?.password !== undefined && record.folder === place.folder && (await exists(data))) {
    await requireSameVersion(place, data)
    return record.password
  }
  log('PostgreSQL: preparing the data folder (first start)')
  const password = randomBytes(18).toString('base64url')
  const fresh = join(place.folder, 'data.next')
  await rm(fresh, { recursive: true, force: true })
  await initialise(place, fresh, password)
  await rm(data, { recursive: true, force: true }) // data whose password is gone: of a state folder that was deleted
  await rename(fresh, data)
  await writeState(recordPath(home), { password, folder: place.folder } satisfies PostgresRecord, 0o600)
  return password
}

async function initialise(place: PostgresPlace, data: string, password: string): Promise<void> {
  const passwordFile = join(place.folder, 'password')
  await mkdir(data, { recursive: true, mode: 0o700 })
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  if (place.account !== undefined) {
    for (const path of [data, passwordFile]) await chown(path, place.account.uid, place.account.gid)
  }
  try {
    const cluster = ['-D', data, '-U', USER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
    await program(place, 'initdb', [...cluster, '--encoding=UTF8', '--locale=C'])
    // Single-user mode: the database exists before the server first listens, and no client library is needed here.
    await program(place, 'postgres', ['--single', '-D', data, 'postgres'], `CREATE DATABASE ${DATABASE}\n`)
  } finally {
    await rm(passwordFile, { force: true })
  }
}

async function startOn(
  place: PostgresPlace,
  data: string,
  options: { port: number; logPath: string; stopping: AbortSignal | undefined },
): Promise<ServerProcess> {
  const { port, logPath, stopping } = options
  const deadline = Date.now() + 15_000
  for (;;) {
    const server = await startServer({
      file: join(place.programs, 'bin', 'postgres'),
      args: ['-D', data, ...settings(port)],
      env: environment(),
      logPath,
      ...(place.account === undefined ? {} : { account: place.account }),
    })
    try {
      await untilReady('PostgreSQL', server, () => isReady(data, server.pid), {
        logPath,
        timeoutMs: 120_000,
        stopping,
      })
      return server
    } catch (error) {
      await stopServer(server.pid, data)
      // After kill -9 of the postmaster alone its children hold the memory for an instant longer.
      const isHeld = (await lastLines(logPath, 4)).includes('shared memory block')
      if (!isHeld || Date.now() > deadline) throw error
    }
  }
}

function settings(port: number): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    // Checkpoints of a small default would write every page of a busy table again each half minute.
    max_wal_size: '2GB',
    fsync: 'on',
    synchronous_commit: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements carry what users typed; the log names their errors without them.
    log_min_error_statement: 'panic',
  }
  return Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${value}`])
}

/** The eighth line of postmaster.pid is the server's own word on its state; pg_ctl waits for it too. */
async function isReady(data: string, pid: number): Promise<boolean> {
  const lines = await pidFileLines(data)
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
}

async function stopLeftover(data: string, log?: (line: string) => void): Promise<void> {
  const pid = Number((await pidFileLines(data))[0])
  if (!Number.isInteger(pid) || pid <= 0) return
  if (await isRunning(pid, data)) {
    log?.(`PostgreSQL: stopping the server that an earlier start left behind (pid ${pid})`)
    await stopServer(pid, data)
  }
  // PostgreSQL refuses to start when any process has this id, and after a crash the id may be anyone's.
  await rm(join(data, 'postmaster.pid'), { force: true })
}

function stopServer(pid: number, data: string): Promise<void> {
  return stopProcess(pid, data, [
    { signal: 'SIGINT', waitMs: 6_000 }, // fast shutdown: sessions end, a checkpoint is written
    { signal: 'SIGQUIT', waitMs: 2_000 }, // immediate: the next start replays the log
    { signal: 'SIGKILL', waitMs: 1_000 },
  ])
}

async function pidFileLines(data: string): Promise<string[]> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  return text.split('\n')
}

async function requireSameVersion(place: PostgresPlace, data: string): Promise<void> {
  const found = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim()
  const own = /\) (\d+)/.exec(await program(place, 'postgres', ['--version']))?.[1]
  if (found === own) return
  throw new CodedError(
    'SERVER_START_FAILED',
    `${data} was made by PostgreSQL ${found}, this is ${own}: dump and restore it, or start with another POSTRIDER_HOME`,
  )
}

function program(place: PostgresPlace, name: string, args: string[], input = ''): Promise<string> {
  const account: Partial<Account> = place.account ?? {}
  return new Promise((resolve, reject) => {
    const child = execFile(
      join(place.programs, 'bin', name),
      args,
      { cwd: '/', env: environment(), ...account },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new CodedError('SERVER_START_FAILED', `${name} failed: ${stderr.trim()}`))
      },
    )
    child.stdin?.end(input)
  })
}

/** PostgreSQL reads PG* variables of its own; none of the caller's may redirect it. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LANG: 'C', LC_ALL: 'C' }
}

function recordPath(home: string): string {
  return join(home, 'postgres.json')
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
