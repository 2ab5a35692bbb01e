/** Runs the tests on one real PostgreSQL and one real Kafka, and says at the end, alone on a line, how many passed and failed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { messageOf } from '#libs/errors'
import { buildPage } from '../deploy/local/build-page.ts'
import { catchStopSignals } from '../deploy/local/stop-signals.ts'
import { openTestServers } from './support/test-servers.ts'

const ROOT = resolve(import.meta.dirname, '..')
/** No test takes so long; one that hangs is named by this instead of by the end of the whole run. */
const FILE_TIMEOUT_MS = 15 * 60_000

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'))
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))

process.chdir(ROOT)
using signals = catchStopSignals()
process.exitCode = await main(flags[0]).catch((error: unknown) => {
  console.error(messageOf(error))
  console.log('0 passed, 1 failed')
  return 1
})

function main(mode: string | undefined): Promise<number> {
  switch (mode) {
    case undefined:
      return runFiles(chosenFiles('test/**/*.test.ts', ['test/bench/', 'test/chaos/']), 2)
    case '--chaos':
      return runFiles(chosenFiles('test/chaos/**/*.test.ts', []), 1)
    case '--bench':
      return runBench()
    case '--servers':
      return keepServers()
    default:
      console.error(`${mode}: unknown; known are --bench, --chaos, --servers`)
      return Promise.resolve(2)
  }
}

/** Quick ones first: without I/O, then with servers, then the whole chain. */
function chosenFiles(pattern: string, excluded: readonly string[]): string[] {
  const rank = (file: string): number => (file.endsWith('.flow.test.ts') ? 2 : file.endsWith('.it.test.ts') ? 1 : 0)
  const wanted = words.map((word) => relative(ROOT, resolve(word)))
  return globSync(pattern, { cwd: ROOT })
    .filter((file) => !excluded.some((folder) => file.startsWith(folder)))
    .filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
}

async function runFiles(files: string[], concurrency: number): Promise<number> {
  if (files.length === 0) {
    console.error(`no test file ${words.length > 0 ? `matches ${words.join(' ')}` : 'found'}`)
    console.log('0 passed, 0 failed')
    return 1
  }
  const needsServers = files.some((file) => /\.(it|flow)\.test\.ts$/.test(file) || file.startsWith('test/chaos/'))
  await buildPage()
  await using servers = needsServers ? await openTestServers(signals.stopping) : undefined
  Object.assign(process.env, servers?.env)
  return await reportOf(files, concurrency) // awaited here: the servers close when this function ends
}

/** The exit code: 0 only when something ran and nothing failed. */
async function reportOf(files: string[], concurrency: number): Promise<number> {
  const events = run({ files, concurrency, timeout: FILE_TIMEOUT_MS, signal: signals.stopping })
  const total = { passed: 0, failed: 0, skipped: 0 }
  events.on('test:summary', ({ file, counts }) => {
    if (file !== undefined) return // of one file; the last is of all
    total.passed = counts.passed
    total.failed = counts.tests - counts.passed - counts.skipped - counts.todo
    total.skipped = counts.skipped + counts.todo
  })
  const output = events.compose(new spec())
  output.pipe(process.stdout, { end: false })
  await once(output, 'end')
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`)
  return total.failed === 0 && total.passed > 0 && !signals.stopping.aborted ? 0 : 1
}

async function runBench(): Promise<number> {
  await using servers = await openTestServers(signals.stopping)
  const bench = spawn(process.execPath, ['test/bench/main.ts', ...words], {
    stdio: 'inherit',
    env: { ...process.env, ...servers.env },
  })
  signals.stopping.addEventListener('abort', () => bench.kill('SIGTERM'))
  const [code] = await once(bench, 'exit')
  return typeof code === 'number' ? code : 1
}

async function keepServers(): Promise<number> {
  await using servers = await openTestServers(signals.stopping)
  for (const [name, value] of Object.entries(servers.env)) console.log(`export ${name}='${value}'`)
  console.error('Ctrl-C stops both servers and removes their data.')
  if (!signals.stopping.aborted) await once(signals.stopping, 'abort')
  return 0
}
