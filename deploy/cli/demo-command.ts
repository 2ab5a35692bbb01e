import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Cleaned } from '../demo/demo-projects.ts'
import { openAdminClient } from './admin-client.ts'
import { FORMATS, type Format, print, tableOf } from './print.ts'

interface DemoOptions {
  readonly count: number
  readonly clean?: true
  readonly force?: true
  readonly format: Format
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/
const FEWEST = 24
const MOST = 1_000

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('Fill a running system with examples: two projects, hundreds of mails, every kind of end.')
    .option('--count <mails>', `how many, ${FEWEST} to ${MOST}`, mailCount, 300)
    .option('--clean', 'cancel what the demo left open, and empty the configurations of its projects')
    .option('--force', 'also where the console is not on this machine')
    .addOption(new Option('--format <format>', 'how to print what became of them').choices(FORMATS).default('table'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider demo
  $ postrider demo --count 60
  $ postrider demo --clean

The mails go the way of every mail, to a mail server that this command runs meanwhile and that takes, defers and refuses
by recipient. It takes less than a minute. Run it where the couriers run.`,
    )
    .action(demo)
}

async function demo({ count, clean, force, format }: DemoOptions): Promise<void> {
  const client = await openAdminClient(process.env)
  const { hostname } = new URL(client.base)
  if (!LOOPBACK.test(hostname) && !force)
    throw new Error(`the console is at ${hostname}, not on this machine: a demo does not belong there; --force does it`)
  if (clean) {
    const { cleanProjects } = await import('../demo/demo-projects.ts')
    const result = await cleanProjects(client)
    print(result, format, () => cleanText(result))
    if (result.busy.length > 0) process.exitCode = 1
    return
  }
  const { runDemo } = await import('../demo/run-demo.ts')
  const startedMs = performance.now()
  const seconds = (): string => ((performance.now() - startedMs) / 1_000).toFixed(1)
  const { messages } = await runDemo({
    client,
    count,
    log: (line) => console.error(`[${seconds().padStart(5)} s] ${line}`),
  })
  print(messages, format, () => countTable(messages))
  console.error(
    `done in ${seconds()} s; look at ${client.base}; postrider demo --clean takes the projects' settings back`,
  )
}

function cleanText({ cleaned, busy, cancelled }: Cleaned): string {
  if (cleaned.length + busy.length === 0) return 'there is nothing of a demo here'
  const done = cleaned.length > 0 ? `${cleaned.join(' and ')}: no configuration any more; ` : ''
  const left = busy.length > 0 ? `; ${busy.join(' and ')} still sends: run it again` : ''
  return `${done}${cancelled} messages cancelled${left}`
}

function countTable(messages: Readonly<Record<string, Readonly<Record<string, number>>>>): string {
  const rows = Object.entries(messages).flatMap(([project, states]) =>
    Object.entries(states)
      .toSorted(([, a], [, b]) => b - a)
      .map(([state, count]) => [project, state, String(count)]),
  )
  return tableOf(['PROJECT', 'STATE', 'MESSAGES'], rows)
}

function mailCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < FEWEST || count > MOST)
    throw new InvalidArgumentError(`Allowed is a whole number from ${FEWEST} to ${MOST}.`)
  return count
}
