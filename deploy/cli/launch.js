/**
 * Brings the project to the point where its own programs run, from any Node 18 or later: installs the packages once and starts the
 * Node 24 that is one of them. Plain JavaScript without dependencies, because before `npm ci` there are none.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const NODE_MAJOR = 24
/** A lock that was not touched for so long belongs to an install that was killed. */
const LOCK_STALE_MS = 30_000

/**
 * Runs `npm ci` when node_modules is missing or does not fit package-lock.json and this system; else does nothing. Of two
 * started at once, one installs and the other waits.
 * @returns {Promise<void>}
 */
export async function ensureInstalled() {
  const stamp = stampOfLock()
  if (isInstalled(stamp) || isInstalledByHand(stamp)) return
  const release = await takeLock(() => isInstalled(stamp))
  if (release === undefined) return
  try {
    if (!isInstalled(stamp)) await install(stamp)
  } finally {
    release()
  }
}

/**
 * The path of a Node that runs the project's TypeScript: the one among the packages, else this one if it is new enough.
 * @returns {string}
 */
export function node24() {
  const packaged = packagedNode()
  if (packaged !== undefined) return packaged
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath
  const system = `${process.platform}-${process.arch}`
  return fail(
    `no Node ${NODE_MAJOR} among the packages for ${system}: install Node ${NODE_MAJOR} or later and start again`,
  )
}

/**
 * Runs a script of the project by Node 24 in the caller's folder, passes SIGINT, SIGTERM and SIGHUP on, and ends as the script ends.
 * @param {string} script path below the project's root
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, nodeOptions?: readonly string[] }} [options]
 * @returns {Promise<never>}
 */
export async function runNode(script, args, options = {}) {
  const nodeArgs = [
    '--disable-warning=ExperimentalWarning',
    ...(options.nodeOptions ?? []),
    join(root, script),
    ...args,
  ]
  const child = spawn(node24(), nodeArgs, { stdio: 'inherit', env: options.env ?? process.env })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal))
  const [code, signal] = await new Promise((resolve) => {
    child.once('error', (error) => fail(error.message))
    child.once('exit', (...end) => resolve(end))
  })
  if (signal === null) return process.exit(code)
  // The same end for whoever waits on this process: killed by the signal, not an exit code of its own.
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  return process.exit(1)
}

/** @param {string} stamp */
async function install(stamp) {
  console.error('Installing packages (first time, about a minute)…')
  // npm's own words only when it fails: its progress is of no use to whoever wants the program to start.
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env: npmEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  /** @type {Buffer[]} */
  const output = []
  npm.stdout.on('data', (chunk) => output.push(chunk))
  npm.stderr.on('data', (chunk) => output.push(chunk))
  const [code, error] = await new Promise((resolve) => {
    npm.once('error', (failure) => resolve([1, failure]))
    npm.once('close', (exitCode) => resolve([exitCode, undefined]))
  })
  if (error?.code === 'ENOENT') fail('npm is not on the path: install Node.js with npm (20 or later) and start again')
  if (code !== 0) fail(`npm ci failed:\n${error?.message ?? Buffer.concat(output).toString().trim()}`)
  writeFileSync(stampPath(), stamp)
}

/** `npm ci` inside `npm start` inherits npm's variables; what the outer npm was asked must not change what the inner one does. */
function npmEnvironment() {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^npm_(config_(global|prefix|omit|only|production|ignore_scripts)|lifecycle|package|command)/.test(name),
  )
  // NODE_ENV=production would leave out the type checker and the tests' tools.
  return { ...Object.fromEntries(inherited), NODE_ENV: 'development' }
}

/**
 * @param {() => boolean} isDone asked while waiting
 * @returns {Promise<(() => void) | undefined>} undefined: the other process did it
 */
async function takeLock(isDone) {
  const lock = join(root, '.cache', 'install-lock')
  mkdirSync(dirname(lock), { recursive: true })
  for (;;) {
    try {
      mkdirSync(lock)
      const touch = setInterval(() => utimesSync(lock, new Date(), new Date()), LOCK_STALE_MS / 6)
      touch.unref()
      const release = () => {
        clearInterval(touch)
        rmSync(lock, { recursive: true, force: true })
      }
      process.once('exit', release)
      return release
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    }
    if (isDone()) return undefined
    const touchedMs = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - touchedMs > LOCK_STALE_MS) rmSync(lock, { recursive: true, force: true })
    await sleep(200)
  }
}

/** @param {string} stamp */
function isInstalled(stamp) {
  return existsSync(stampPath()) && readFileSync(stampPath(), 'utf8') === stamp
}

/**
 * Whether someone ran npm here without this launcher, at first or since: what npm says it installed is what package-lock.json asks
 * for, and this system's Node is among it. The stamp is left behind then, so that this is asked once.
 * @param {string} stamp
 */
function isInstalledByHand(stamp) {
  const installedPath = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installedPath)) return false
  const installed = JSON.parse(readFileSync(installedPath, 'utf8')).packages
  const { '': _project, ...wanted } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const isWhole = Object.entries(wanted).every(([path, { version, optional }]) =>
    installed[path] === undefined ? optional === true : installed[path].version === version,
  )
  if (!isWhole || packagedNode() === undefined) return false
  writeFileSync(stampPath(), stamp)
  return true
}

function stampOfLock() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`
}

function stampPath() {
  return join(root, 'node_modules', '.postrider-stamp')
}

/** @returns {string | undefined} */
function packagedNode() {
  const system = `${process.platform}-${process.arch}`
  const places = [`node-${system}`, `node-bin-${system}`].map((name) => join(root, 'node_modules', name, 'bin', 'node'))
  return places.find(isExecutable)
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return spawnSync(file, ['--version']).status === 0
  } catch {
    return false // not there
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(`postrider: ${message}`)
  return process.exit(1)
}
