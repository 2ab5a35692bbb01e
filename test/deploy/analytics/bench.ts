/**
 * `npm run bench:analytics [events]`: makes that many events (10 million) and runs every query over them; seconds each. The figures
 * depend on the machine.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { queryNames } from '../../../deploy/cli/event-queries.ts'
import { runCli } from '../cli/run-cli.ts'

const EVENTS = Number(process.argv[2] ?? 10_000_000)

const folder = await mkdtemp(join(tmpdir(), 'postrider-bench-'))
try {
  const file = join(folder, 'events.parquet')
  const made = await timed(['events', 'sample', '--count', String(EVENTS), '--output', file])
  const [quality] = JSON.parse((await timed(['events', 'query', 'quality', '--from', file, '--format', 'json'])).stdout)
  const megabytes = ((await stat(file)).size / 1e6).toFixed(0)
  console.log(
    `${quality.events} events of ${quality.messages} messages, ${megabytes} MB of Parquet, made in ${made.seconds} s`,
  )
  console.log(`${availableParallelism()} cores, ${(totalmem() / 1e9).toFixed(0)} GB; start of the command included\n`)
  console.log('| query | s |\n|---|---|')
  for (const name of queryNames()) {
    const { seconds } = await timed(['events', 'query', name, '--from', file])
    console.log(`| ${name} | ${seconds} |`)
  }
} finally {
  await rm(folder, { recursive: true })
}

async function timed(args: readonly string[]): Promise<{ seconds: string; stdout: string }> {
  const startedAt = performance.now()
  const { code, stdout, stderr } = await runCli(args)
  if (code !== 0) throw new Error(stderr)
  return { seconds: ((performance.now() - startedAt) / 1_000).toFixed(1), stdout }
}
