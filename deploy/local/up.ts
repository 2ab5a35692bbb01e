/** `postrider up`: the whole system on one machine, in the foreground, until a signal. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CodedError, isCoded, messageOf } from '#libs/errors'
import { buildPage } from './build-page.ts'
import { takeHome } from './home-lock.ts'
import { type EmbeddedKafka, openEmbeddedKafka } from './kafka.ts'
import { type KeptServer, keepServer } from './kept-server.ts'
import { requireFreePort } from './local-port.ts'
import { type LocalSettings, loadLocalSettings } from './local-settings.ts'
import { type EmbeddedPostgres, openEmbeddedPostgres } from './postgres.ts'
import { repeatRefusals } from './repeat-refusals.ts'
import { type RunningProcess, removeRunFile, stopLeftovers, writeRunFile } from './run-file.ts'
import { lastLines } from './server-process.ts'
import { checkScale, planMailbox, planServices, serviceEnvironment } from './service-plans.ts'
import { catchStopSignals, type StopSignals } from './stop-signals.ts'
import { type ProcessPlan, type SupervisedProcess, superviseProcess } from './supervised-process.ts'
import { needsKey, untilUsable, welcome } from './welcome.ts'

export interface UpOptions {
  /** Instances per service; one where nothing is said. */
  readonly scale: Readonly<Record<string, number>>
  /** The folder of services/ and db/; the project's own where nothing is said. */
  readonly root?: string
  readonly env?: NodeJS.ProcessEnv
}

/** From the first signal until the end no more than 30 s: 20 for the services, then under 10 for the servers. */
const SERVICES_WAIT_MS = 20_000
const MAILBOX_WAIT_MS = 2_000

/** What runs now, in the order of its start. */
interface System {
  readonly settings: LocalSettings
  readonly env: NodeJS.ProcessEnv
  readonly root: string
  readonly signals: StopSignals
  readonly log: (line: string) => void
  /** Writes run.json anew. */
  readonly onChange: () => void
  postgres?: KeptServer<EmbeddedPostgres>
  kafka?: KeptServer<EmbeddedKafka>
  readonly processes: SupervisedProcess[]
}

/**
 * Starts everything, prints how to try it, and resolves with the exit code when all is stopped: 0 after one signal, 1 after a
 * failed start or when a second signal (2 s or more after the first) cut the services short.
 */
export async function up(options: UpOptions): Promise<number> {
  using signals = catchStopSignals()
  const log = timedLog()
  try {
    checkScale(options.scale)
    const env = options.env ?? process.env
    const settings = loadLocalSettings(env, process.cwd())
    await using _lock = await takeHome(settings.home)
    await stopLeftovers(settings.home, log)
    const root = options.root ?? resolve(import.meta.dirname, '..', '..')
    const system = createSystem({ settings, env, root, signals, log })
    return await runSystem(system, options.scale)
  } catch (error) {
    if (signals.stopping.aborted) return signals.hurrying.aborted ? 1 : 0
    console.error(isCoded(error) ? `postrider: ${error.message}` : error)
    return 1
  }
}

function createSystem(parts: Pick<System, 'settings' | 'env' | 'root' | 'signals' | 'log'>): System {
  const startedAt = new Date().toISOString()
  const system: System = {
    ...parts,
    processes: [],
    onChange: () =>
      writeRunFile(parts.settings.home, {
        pid: process.pid,
        startedAt,
        urls: urlsOf(parts.settings),
        processes: runningProcesses(system),
      }),
  }
  return system
}

async function runSystem(system: System, scale: Readonly<Record<string, number>>): Promise<number> {
  const { signals, log } = system
  try {
    const startedAt = Date.now()
    await startAll(system, scale)
    await untilUsable(urlsOf(system.settings).console ?? '', signals.stopping, log)
    if (!signals.stopping.aborted) await welcomeUser(system, Date.now() - startedAt)
    if (!signals.stopping.aborted) await once(signals.stopping, 'abort')
  } finally {
    log('stopping…')
    await stopAll(system)
  }
  log('stopped')
  return signals.hurrying.aborted ? 1 : 0
}

async function welcomeUser({ settings, signals, log }: System, elapsedMs: number): Promise<void> {
  const isKeyNeeded = await needsKey(urlsOf(settings).console ?? '')
  void repeatRefusals({ logPath: join(settings.home, 'logs', 'console-1.log'), log, stopping: signals.stopping })
  console.log(welcome(settings, { elapsedMs, isKeyNeeded }))
}

async function startAll(system: System, scale: Readonly<Record<string, number>>): Promise<void> {
  const { settings, signals } = system
  await requirePorts(settings)
  // While the servers start; mail is delivered without it too.
  const page = buildPage().catch((error) => system.log(`the page is not built: ${messageOf(error)}`))
  await startServers(system)
  const databaseUrl = system.postgres?.current.url
  const brokers = system.kafka?.current.brokers
  const env = await serviceEnvironment(settings, system.env, { databaseUrl, brokers })
  if (settings.embeds.mailbox) {
    system.log(`mailbox on 127.0.0.1:${settings.ports.POSTRIDER_MAILBOX_HTTP_PORT}`)
    launch(system, planMailbox(settings, { ...env }))
  }
  await migrate(system, env)
  await page
  const plans = await planServices({ settings, env, scale, root: system.root })
  signals.stopping.throwIfAborted()
  for (const plan of plans) launch(system, plan)
  system.log(`services: ${plans.map(({ instance }) => instance).join(', ')}; logs in ${join(settings.home, 'logs')}`)
}

/** A taken port shows here with the name of its variable, not later as a service that starts over and over. */
async function requirePorts({ ports, embeds }: LocalSettings): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    const isMailbox = name.startsWith('POSTRIDER_MAILBOX_')
    const isServer = name === 'POSTRIDER_POSTGRES_PORT' || name === 'POSTRIDER_KAFKA_PORT'
    if (!isServer && (!isMailbox || embeds.mailbox)) await requireFreePort(port, 'Postrider', name)
  }
}

/** Both at once. When one fails the other is still waited for, so that it is stopped and not left behind. */
async function startServers(system: System): Promise<void> {
  const { settings, signals, log, onChange } = system
  const common = { home: settings.home, log, stopping: signals.stopping }
  const postgres = async (): Promise<void> => {
    const port = settings.ports.POSTRIDER_POSTGRES_PORT
    system.postgres = await keepServer('PostgreSQL', () => openEmbeddedPostgres({ ...common, port }), { log, onChange })
    log(`PostgreSQL on 127.0.0.1:${port}`)
    onChange()
  }
  const kafka = async (): Promise<void> => {
    const port = settings.ports.POSTRIDER_KAFKA_PORT
    system.kafka = await keepServer('Kafka', () => openEmbeddedKafka({ ...common, port }), { log, onChange })
    log(`Kafka on 127.0.0.1:${port}`)
    onChange()
  }
  const started = await Promise.allSettled([
    ...(settings.embeds.postgres ? [postgres()] : []),
    ...(settings.embeds.kafka ? [kafka()] : []),
  ])
  for (const result of started) if (result.status === 'rejected') throw result.reason
  signals.stopping.throwIfAborted()
}

async function migrate(system: System, env: NodeJS.ProcessEnv): Promise<void> {
  const logPath = join(system.settings.home, 'logs', 'migrate.log')
  await mkdir(join(system.settings.home, 'logs'), { recursive: true })
  await using output = await open(logPath, 'w')
  const child = spawn(process.execPath, [join(system.root, 'db', 'migrate.ts')], {
    cwd: system.root,
    env,
    stdio: ['ignore', output.fd, output.fd],
    signal: system.signals.stopping,
  })
  const [code] = await once(child, 'exit')
  system.signals.stopping.throwIfAborted()
  if (code !== 0) throw new CodedError('SERVER_START_FAILED', `the migrations failed:\n${await lastLines(logPath, 8)}`)
  system.log('tables and topics are up to date')
}

function launch(system: System, plan: ProcessPlan): void {
  // `onChange` runs inside the start, before the list has it; the second one here writes the whole.
  system.processes.push(superviseProcess(plan, { onChange: system.onChange, log: system.log }))
  system.onChange()
}

async function stopAll(system: System): Promise<void> {
  const { hurrying } = system.signals
  const services = system.processes.filter(({ plan }) => plan.service !== 'mailbox')
  await Promise.all(services.map((service) => service.stop(SERVICES_WAIT_MS, hurrying)))
  const mailbox = system.processes.filter(({ plan }) => plan.service === 'mailbox')
  await Promise.all([
    ...mailbox.map((process) => process.stop(MAILBOX_WAIT_MS, hurrying)),
    system.kafka?.[Symbol.asyncDispose](),
    system.postgres?.[Symbol.asyncDispose](),
  ])
  removeRunFile(system.settings.home)
}

function runningProcesses({ settings, postgres, kafka, processes }: System): RunningProcess[] {
  const running: RunningProcess[] = []
  if (postgres !== undefined) {
    const ports = { postgres: settings.ports.POSTRIDER_POSTGRES_PORT }
    running.push({ service: 'postgres', instance: 'postgres', pid: postgres.current.pid, ports })
  }
  if (kafka !== undefined) {
    const ports = { kafka: settings.ports.POSTRIDER_KAFKA_PORT, controller: kafka.current.controllerPort }
    running.push({ service: 'kafka', instance: 'kafka', pid: kafka.current.pid, ports })
  }
  for (const { plan, pid } of processes) {
    if (pid !== undefined) running.push({ service: plan.service, instance: plan.instance, pid, ports: plan.ports })
  }
  return running
}

function urlsOf({ ports, embeds }: LocalSettings): Record<string, string> {
  return {
    identity: `http://127.0.0.1:${ports.POSTRIDER_IDENTITY_PORT}`,
    console: `http://127.0.0.1:${ports.POSTRIDER_CONSOLE_PORT}`,
    ...(embeds.mailbox ? { mailbox: `http://127.0.0.1:${ports.POSTRIDER_MAILBOX_HTTP_PORT}` } : {}),
  }
}

/** Lines on standard error with the seconds since the start. */
function timedLog(): (line: string) => void {
  const startedAt = Date.now()
  return (line) => console.error(`[${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s] ${line}`)
}
