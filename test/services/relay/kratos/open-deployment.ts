/** Postrider as an operator runs it beside Kratos: topics, a courier process, a mail server, and relay processes on Kratos databases. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ensureTopics } from '#libs/bus'
import { openDatabase } from '#libs/database'
import { topics } from '#libs/messages'
import { freePort, testDatabase, testKafka } from '../../../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../../../support/smtp-sink.ts'
import { PARTITIONS } from '../open-relay.ts'
import { type Kratos, openKratos } from './kratos-tables.ts'
import type { Source } from './sources.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const SECRET = 'the secret of the relay tests'

export interface Running {
  readonly child: ChildProcess
  readonly metricsPort: number
  readonly output: () => string
  readonly exited: Promise<number | null>
}

export interface Deployment {
  readonly brokers: string
  readonly prefix: string
  /** A relay by `postrider relay --source kratos`, on one Kratos database. */
  readonly relay: (dsn: string, ...args: string[]) => Promise<Running>
  /** The courier begins to send. */
  readonly startCourier: () => Promise<Running>
  /** The mail server comes up. */
  readonly startSink: () => Promise<SmtpSink>
}

export async function openDeployment(t: TestContext): Promise<Deployment> {
  const processes: Running[] = []
  // First of all: what still runs would connect again to what is being closed.
  t.after(async () => {
    for (const { child } of processes) child.kill('SIGKILL')
    await Promise.all(processes.map(({ exited }) => exited))
  })
  const { url } = await testDatabase(t)
  const { brokers, prefix } = testKafka()
  const smtpPort = await freePort()
  await ensureTopics({
    brokers: brokers.split(','),
    topics: Object.values(topics(prefix)).map((name) => ({ name, partitions: PARTITIONS, replication: 1, config: {} })),
  })
  const env = {
    ...process.env,
    KAFKA_BROKERS: brokers,
    POSTRIDER_KAFKA_TOPIC_PREFIX: prefix,
    POSTRIDER_KAFKA_PARTITIONS: String(PARTITIONS),
    SECRETS_CIPHER: SECRET,
    COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${smtpPort}/?disable_starttls=true`,
    POSTRIDER_COURIER_RETRY_SCHEDULE: '1s',
  }

  async function start(script: string, args: readonly string[], more: Record<string, string>): Promise<Running> {
    const metricsPort = await freePort()
    const child = spawn(process.execPath, [`${ROOT}${script}`, ...args], {
      env: {
        ...env,
        POSTRIDER_RELAY_METRICS_PORT: String(metricsPort),
        POSTRIDER_COURIER_METRICS_PORT: String(metricsPort),
        ...more,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    const exited = once(child, 'exit').then(([code]) => code as number | null)
    const running = { child, metricsPort, output: () => Buffer.concat(chunks).toString(), exited }
    processes.push(running)
    return running
  }

  return {
    brokers,
    prefix,
    relay: (dsn, ...args) => start('deploy/cli/main.ts', ['relay', '--source', 'kratos', ...args], { KRATOS_DSN: dsn }),
    startCourier: () => start('services/courier/main.ts', [], { DATABASE_URL: url }),
    startSink: async () => {
      const sink = await openSmtpSink({ port: smtpPort })
      t.after(() => sink[Symbol.asyncDispose]())
      return sink
    },
  }
}

/** The database of a Kratos that no relay has ever seen. */
export async function openFreshKratos(t: TestContext): Promise<Source> {
  const { url } = await testDatabase(t, { empty: true })
  const database = openDatabase({ url, applicationName: 'test', max: 4 })
  t.after(() => database[Symbol.asyncDispose]())
  const kratos: Kratos = await openKratos(database)
  return { url, database, kratos }
}
