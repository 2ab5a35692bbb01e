/**
 * The whole chain, from a full outbox to accepted and projected, against bare nodemailer into the same sink, interleaved in one run;
 * then how long a single mail takes, on an idle system and beside sick projects. The claim is the ratio; absolute figures depend on
 * the machine and on what else it does.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Database, openDatabase } from '#libs/database'
import { openSealer } from '#libs/messages'
import { fromDatabaseTx, openOutbox } from '#libs/outbox'
import { freePort, waitFor } from '../support/servers.ts'
import { openSystem, type System } from '../support/system.ts'
import { benchMail } from './bench-mail.ts'
import { measureLatency, quantile } from './latency.ts'
import { type CpuMs, cpuByGroup, difference } from './process-cpu.ts'
import { measureBesideSickProjects, type SickProjectsResult } from './sick-projects.ts'

const MAILS = Number(process.env.BENCH_MAILS ?? 20_000)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const SAMPLES = Number(process.env.BENCH_SAMPLES ?? 400)
const SECRET = 'benchmark-secret-that-seals-nothing-real'
const FLOOR = 1
const ENDS = { timeoutMs: 300_000, message: 'the chain does not end' }

interface Round {
  readonly mailsPerSecond: number
  readonly cpuMsPerThousand: CpuMs
}

const sinkPort = await freePort()
const sinkHttp = await freePort()
const sink = fork(
  new URL('../support/smtp-sink.ts', import.meta.url),
  ['--port', String(sinkPort), '--http', String(sinkHttp), '--lean'],
  {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  },
)
await waitFor(async () => (await fetch(`http://127.0.0.1:${sinkHttp}/`)).ok, {
  timeoutMs: 10_000,
  message: 'the sink does not start',
})

let met = false
try {
  await using system = await openSystem({
    env: {
      COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${sinkPort}/?disable_starttls=true`,
      SECRETS_CIPHER: JSON.stringify([SECRET]),
    },
  })
  await chainRound(system, MAILS) // warm: compiled code, grown files
  const baseline: Round[] = []
  const chain: Round[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    baseline.push(await baselineRound(MAILS))
    chain.push(await chainRound(system, MAILS))
    console.error(`round ${round}: nodemailer ${rate(baseline.at(-1)!)}/s, chain ${rate(chain.at(-1)!)}/s`)
  }
  const arrivals = async () => (await askSink<{ recent: { messageId: string; at: number }[] }>('/')).recent
  const options = { system, secret: SECRET, samples: SAMPLES, arrivals }
  const idle = await measureLatency(options)
  met = report(baseline, chain, idle)
  reportBeside(await measureBesideSickProjects(options))
} finally {
  sink.kill()
}
process.exitCode = met ? 0 : 1

async function baselineRound(mails: number): Promise<Round> {
  const child: ChildProcess = fork(new URL('./nodemailer-baseline.ts', import.meta.url), [
    String(sinkPort),
    String(mails),
  ])
  await once(child, 'message')
  child.send('go')
  const [result] = (await once(child, 'message')) as [{ seconds: number; cpuMs: number }]
  await once(child, 'exit')
  return { mailsPerSecond: mails / result.seconds, cpuMsPerThousand: { nodemailer: (result.cpuMs / mails) * 1_000 } }
}

/** Fills the outbox in one transaction, so that the relay sees it full at one instant, and waits until all is projected. */
async function chainRound(system: System, mails: number): Promise<Round> {
  await using database = openDatabase({ url: system.databaseUrl, applicationName: 'bench', max: 2 })
  const outbox = openOutbox(openSealer([SECRET]))
  const since = new Date()
  const accepted = await countAccepted()
  const pids = new Map((await system.processes()).map(({ pid, service }) => [pid, service]))
  await database.transaction(async (tx) => {
    for (let first = 0; first < mails; first += 1_000) {
      const batch = Array.from({ length: Math.min(1_000, mails - first) }, (_, index) => benchMail(first + index))
      await outbox.enqueue(fromDatabaseTx(tx), batch)
    }
  })
  const cpuBefore = cpuByGroup(pids)
  const startedAt = performance.now()
  // First by the sink, which costs nothing.
  await waitFor(async () => (await countAccepted()) >= accepted + mails, ENDS)
  await waitFor(async () => (await countSent(database, since)) >= mails, ENDS)
  const seconds = (performance.now() - startedAt) / 1_000
  const cpu = difference(cpuBefore, cpuByGroup(pids))
  return { mailsPerSecond: mails / seconds, cpuMsPerThousand: mapValues(cpu, (ms) => (ms / mails) * 1_000) }
}

async function askSink<T>(path: string): Promise<T> {
  return (await (await fetch(`http://127.0.0.1:${sinkHttp}${path}`)).json()) as T
}

async function countAccepted(): Promise<number> {
  return (await askSink<{ accepted: number }>('/accepted')).accepted
}

/** Of this round, by the index: counting a growing table would be billed to the chain. */
async function countSent(database: Database, since: Date): Promise<number> {
  const { rows } = await database.query<{ count: number }>({
    text: `select count(*) from console.message where created_at >= $1 and state = 'sent'`,
    values: [since],
  })
  return rows[0]?.count ?? 0
}

function report(baseline: readonly Round[], chain: readonly Round[], idle: readonly number[]): boolean {
  const [nodemailer, ours] = [median(baseline), median(chain)]
  const ratio = ours.mailsPerSecond / nodemailer.mailsPerSecond
  const lines = [
    `${MAILS} mails of 2 KB (text and HTML), ${ROUNDS} rounds, interleaved; medians`,
    '',
    '| | mails/s | CPU ms per 1,000 mails |',
    '|---|---|---|',
    `| nodemailer alone, pool of 20, TCP_NODELAY | ${rate(nodemailer)} | ${cpuText(nodemailer.cpuMsPerThousand)} |`,
    `| the whole chain, outbox to projected | ${rate(ours)} | ${cpuText(ours.cpuMsPerThousand)} |`,
    '',
    `ratio ${ratio.toFixed(2)} (floor ${FLOOR.toFixed(1)})`,
    `idle, commit to accepted: ${quantiles(idle)}`,
  ]
  console.log(lines.join('\n'))
  return ratio >= FLOOR
}

function reportBeside({ without, together }: SickProjectsResult): void {
  const ratio = quantile(together, 0.99) / quantile(without, 0.99)
  console.log(
    [
      `without sick projects: ${quantiles(without)}`,
      `beside a project that hangs and one that is refused: ${quantiles(together)}`,
      `ratio of the p99: ${ratio.toFixed(2)}`,
    ].join('\n'),
  )
}

function quantiles(sorted: readonly number[]): string {
  const at = (share: number) => quantile(sorted, share).toFixed(1)
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms (${sorted.length} samples)`
}

function median(rounds: readonly Round[]): Round {
  return [...rounds].sort((a, b) => a.mailsPerSecond - b.mailsPerSecond)[rounds.length >> 1]!
}

function rate({ mailsPerSecond }: Round): string {
  return mailsPerSecond.toFixed(0)
}

function cpuText(cpu: CpuMs): string {
  const total = Object.values(cpu).reduce((sum, ms) => sum + ms, 0)
  const parts = Object.entries(cpu)
    .filter(([, ms]) => ms >= 1)
    .map(([group, ms]) => `${group} ${ms.toFixed(0)}`)
  return `${total.toFixed(0)} (${parts.join(', ')})`
}

function mapValues(values: CpuMs, map: (ms: number) => number): CpuMs {
  return Object.fromEntries(Object.entries(values).map(([key, ms]) => [key, map(ms)]))
}
