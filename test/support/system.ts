/** The whole system as a user starts it, on the database, topics and ports of one test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, testDatabase, testKafka, waitFor } from './servers.ts'
import { openTestHome } from './test-servers.ts'

const MAIN = fileURLToPath(new URL('../../deploy/cli/main.ts', import.meta.url))

export interface Mail {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly headers: Record<string, string[]>
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a user's script would
  readonly body: any
  readonly headers: Headers
}

interface RunningProcess {
  readonly service: string
  readonly instance: string
  readonly pid: number
}

export interface System {
  readonly home: string
  readonly identity: string
  readonly console: string
  readonly mailbox: string
  readonly databaseUrl: string
  readonly brokers: string
  readonly topicPrefix: string
  readonly request: (method: string, url: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
  readonly mailsTo: (address: string) => Promise<Mail[]>
  readonly mailTo: (address: string) => Promise<Mail>
  readonly message: (id: string) => Promise<Answer['body']>
  /** Waits until the message is in `state`. */
  readonly messageIn: (id: string, state: string, timeoutMs?: number) => Promise<Answer['body']>
  readonly processes: () => Promise<RunningProcess[]>
  /** Sends a signal to one running process of a service. */
  readonly kill: (service: string, signal: NodeJS.Signals, index?: number) => Promise<number>
  readonly output: () => string
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export interface SystemOptions {
  readonly scale?: string
  readonly env?: Readonly<Record<string, string>>
  /** Runs on a PostgreSQL and a Kafka of its own, which a test may kill. */
  readonly embedded?: boolean
}

const READY_MS = 90_000
const STOP_MS = 40_000

export async function openSystem({ scale, env = {}, embedded = false }: SystemOptions = {}): Promise<System> {
  const stack = new AsyncDisposableStack()
  const home = stack.use(await openTestHome()).path
  const ports = await freePorts(10)
  const servers = embedded ? embeddedServers(ports[8]!, ports[9]!) : await sharedServers(stack)
  const child = spawn(process.execPath, [MAIN, 'up', ...(scale === undefined ? [] : ['--scale', scale])], {
    env: {
      ...process.env,
      POSTRIDER_HOME: home,
      ...servers.env,
      POSTRIDER_IDENTITY_PORT: String(ports[0]),
      POSTRIDER_CONSOLE_PORT: String(ports[1]),
      POSTRIDER_MAILBOX_SMTP_PORT: String(ports[2]),
      POSTRIDER_MAILBOX_HTTP_PORT: String(ports[3]),
      POSTRIDER_IDENTITY_METRICS_PORT: String(ports[4]),
      POSTRIDER_RELAY_METRICS_PORT: String(ports[5]),
      POSTRIDER_COURIER_METRICS_PORT: String(ports[6]),
      POSTRIDER_PROJECTOR_METRICS_PORT: String(ports[7]),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = collectOutput(child, join(home, 'up.log'))
  const [identity, console, mailbox] = [ports[0], ports[1], ports[3]].map((port) => `http://127.0.0.1:${port}`) as [
    string,
    string,
    string,
  ]
  try {
    await waitFor(
      async () => {
        if (child.exitCode !== null) throw new Error(`up exited with ${child.exitCode}:\n${output()}`)
        return (await fetch(`${console}/health/ready`)).ok
      },
      { timeoutMs: READY_MS, message: () => `the system is not ready:\n${output()}` },
    )
  } catch (error) {
    child.kill('SIGKILL')
    await stack.disposeAsync()
    throw error
  }

  const system: System = {
    home,
    identity,
    console,
    mailbox,
    databaseUrl: servers.databaseUrl ?? (await embeddedUrl(home, ports[8]!)),
    brokers: servers.brokers,
    topicPrefix: servers.topicPrefix,
    request,
    mailsTo: async (address) => (await request('GET', `${mailbox}/messages?to=${encodeURIComponent(address)}`)).body,
    mailTo: (address) =>
      waitFor(async () => (await system.mailsTo(address))[0], { timeoutMs: 30_000, message: 'no mail came' }),
    message: async (id) => (await request('GET', `${console}/admin/courier/messages/${id}`)).body,
    messageIn: (id, state, timeoutMs = 30_000) =>
      waitFor(
        async () => {
          const message = await system.message(id)
          return message.state === state ? message : undefined
        },
        { timeoutMs, message: `the message is not ${state}` },
      ),
    processes: async () => JSON.parse(await readFile(join(home, 'run.json'), 'utf8')).processes,
    kill: async (service, signal, index = 0) => {
      const running = (await system.processes()).filter((process) => process.service === service)
      const pid = running[index]?.pid
      if (pid === undefined) throw new Error(`no ${service} is running`)
      process.kill(pid, signal)
      return pid
    },
    output,
    [Symbol.asyncDispose]: async () => {
      await stop(child)
      await stack.disposeAsync()
    },
  }
  return system
}

interface Servers {
  readonly env: Readonly<Record<string, string>>
  readonly databaseUrl: string | undefined
  readonly brokers: string
  readonly topicPrefix: string
}

/** The run's servers, with a database and topics of this system alone. */
async function sharedServers(stack: AsyncDisposableStack): Promise<Servers> {
  const { url } = stack.use(await testDatabase())
  const { brokers, prefix } = testKafka()
  const env = {
    DATABASE_URL: url,
    KAFKA_BROKERS: brokers,
    POSTRIDER_KAFKA_TOPIC_PREFIX: prefix,
    POSTRIDER_KAFKA_REPLICATION: '1',
  }
  return { env, databaseUrl: url, brokers, topicPrefix: prefix }
}

function embeddedServers(postgresPort: number, kafkaPort: number): Servers {
  const env = { POSTRIDER_POSTGRES_PORT: String(postgresPort), POSTRIDER_KAFKA_PORT: String(kafkaPort) }
  return { env, databaseUrl: undefined, brokers: `127.0.0.1:${kafkaPort}`, topicPrefix: '' }
}

async function embeddedUrl(home: string, port: number): Promise<string> {
  const { password } = JSON.parse(await readFile(join(home, 'postgres.json'), 'utf8'))
  return `postgres://postrider:${password}@127.0.0.1:${port}/postrider`
}

async function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => freePort()))
}

async function request(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
}

function collectOutput(child: ChildProcess, file: string): () => string {
  const chunks: Buffer[] = []
  const log = createWriteStream(file)
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      log.write(chunk)
    })
  }
  return () => Buffer.concat(chunks).toString()
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exited
  clearTimeout(timer)
}
