/** The whole system as a user starts it, on the database, topics and ports of one test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, testDatabase, testKafka, waitFor } from './servers.ts'

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
}

const READY_MS = 90_000
const STOP_MS = 40_000

export async function openSystem({ scale, env = {} }: SystemOptions = {}): Promise<System> {
  const database = await testDatabase()
  const kafka = testKafka()
  const home = await mkdtemp(join(tmpdir(), 'postrider-system-'))
  const ports = await freePorts(8)
  const child = spawn(process.execPath, [MAIN, 'up', ...(scale === undefined ? [] : ['--scale', scale])], {
    env: {
      ...process.env,
      POSTRIDER_HOME: home,
      DATABASE_URL: database.url,
      KAFKA_BROKERS: kafka.brokers,
      POSTRIDER_KAFKA_TOPIC_PREFIX: kafka.prefix,
      POSTRIDER_KAFKA_REPLICATION: '1',
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
    throw error
  }

  const system: System = {
    home,
    identity,
    console,
    mailbox,
    databaseUrl: database.url,
    brokers: kafka.brokers,
    topicPrefix: kafka.prefix,
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
      await database[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
  return system
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
