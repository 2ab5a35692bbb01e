/** The embedded Kafka of one machine: Apache Kafka, one node that is broker and controller, 127.0.0.1 only, data in the state folder. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CodedError } from '#libs/errors'
import { isRunning, stopProcess } from './foreign-process.ts'
import { findJava } from './java-tools.ts'
import { kafkaAnswers } from './kafka-answers.ts'
import { ensureKafkaJars } from './kafka-jars.ts'
import { freePort, isPortFree, requireFreePort } from './local-port.ts'
import { ensurePackagedJava } from './packaged-java.ts'
import type { EmbeddedServerOptions } from './postgres.ts'
import { startServer, untilReady } from './server-process.ts'
import { readState, writeState } from './state-file.ts'

const run = promisify(execFile)

export interface EmbeddedKafka extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly brokers: string
  readonly pid: number
  readonly controllerPort: number
  /** Resolves with the reason when the broker ends, asked or not. */
  readonly ended: Promise<string>
}

interface KafkaRecord {
  /** Written once the data folder is formatted for this cluster. */
  readonly clusterId: string
  readonly controllerPort: number
}

interface Paths {
  readonly data: string
  readonly properties: string
  readonly record: string
  readonly pidFile: string
  readonly log: string
}

/**
 * Starts Kafka on the data of `home`, formatted at the first start, and resolves when it answers. A broker that a killed start left
 * behind on the same data is stopped first.
 * @throws PORT_TAKEN, SERVER_START_FAILED, TOOL_MISSING
 */
export async function openEmbeddedKafka(options: EmbeddedServerOptions): Promise<EmbeddedKafka> {
  const { home, port, log, stopping } = options
  const paths = pathsOf(home)
  const java = await findJava(process.env, () => ensurePackagedJava(log, stopping))
  const classPath = join(await ensureKafkaJars(java, log, stopping), '*')
  await stopKafkaLeftover(home, log)
  await requireFreePort(port, 'Kafka', 'POSTRIDER_KAFKA_PORT')
  const { controllerPort } = await ensureFormatted(paths, { java, classPath, port, log })

  const server = await startServer({
    file: java,
    args: [...jvmOptions(), '-cp', classPath, 'kafka.Kafka', paths.properties],
    env: process.env,
    logPath: paths.log,
  })
  const stop = () => stopBroker(server.pid, paths)
  try {
    await writeFile(paths.pidFile, String(server.pid))
    await untilReady('Kafka', server, () => kafkaAnswers(port), { logPath: paths.log, timeoutMs: 120_000, stopping })
  } catch (error) {
    await stop()
    throw error
  }
  const brokers = `127.0.0.1:${port}`
  return { brokers, pid: server.pid, controllerPort, ended: server.ended, [Symbol.asyncDispose]: stop }
}

function pathsOf(home: string): Paths {
  const folder = join(home, 'kafka')
  return {
    data: join(folder, 'data'),
    properties: join(folder, 'server.properties'),
    record: join(home, 'kafka.json'),
    pidFile: join(folder, 'pid'),
    log: join(home, 'logs', 'kafka.log'),
  }
}

/** A folder without a record is of a start that was killed while it formatted: it is emptied and formatted anew. */
async function ensureFormatted(
  paths: Paths,
  options: { java: string; classPath: string; port: number; log: (line: string) => void },
): Promise<KafkaRecord> {
  const known = await readState<KafkaRecord>(paths.record)
  const isOwnFree = known?.controllerPort !== undefined && (await isPortFree(known.controllerPort))
  const controllerPort = isOwnFree && known.controllerPort ? known.controllerPort : await freePort()
  const record = { clusterId: known?.clusterId ?? newClusterId(), controllerPort }

  await mkdir(paths.data, { recursive: true })
  await writeFile(paths.properties, serverProperties(paths.data, options.port, controllerPort))
  if (known?.clusterId === undefined) {
    options.log('Kafka: preparing the data folder (first start)')
    await rm(paths.data, { recursive: true, force: true })
    await format(paths, record.clusterId, options)
  }
  await writeState(paths.record, record)
  return record
}

async function format(paths: Paths, clusterId: string, options: { java: string; classPath: string }): Promise<void> {
  const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', paths.properties]
  try {
    await run(options.java, [...jvmOptions(), '-cp', options.classPath, ...tool])
  } catch (cause) {
    const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
    throw new CodedError('SERVER_START_FAILED', `Kafka could not format ${paths.data}: ${output}`, { cause })
  }
}

/** Kafka's form of a UUID: 16 bytes as base64url. The first byte is below 0x80, so that none starts like a command-line option. */
function newClusterId(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0] ?? 0) & 0x7f
  return bytes.toString('base64url')
}

function jvmOptions(): string[] {
  return [
    '-Xms256m',
    '-Xmx512m',
    '-XX:+UseSerialGC', // leanest for a heap of this size, without threads of its own
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`,
  ]
}

function serverProperties(data: string, port: number, controllerPort: number): string {
  const values = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 8, // the default of 50 makes the first group wait for 50 folders
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 8,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // After kill -9 the next start is refused until the session of the killed one has run out; 9 s by default.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
  }
  // A backslash starts an escape in this format.
  const lines = Object.entries(values).map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}`)
  return `${lines.join('\n')}\n`
}

/** Stops a broker that still runs on the data of `home` though whoever started it is gone. */
export async function stopKafkaLeftover(home: string, log?: (line: string) => void): Promise<void> {
  const paths = pathsOf(home)
  const pid = Number(await readFile(paths.pidFile, 'utf8').catch(() => '0'))
  if (!Number.isInteger(pid) || pid <= 0 || !(await isRunning(pid, paths.properties))) return
  log?.(`Kafka: stopping the broker that an earlier start left behind (pid ${pid})`)
  await stopBroker(pid, paths)
}

/** On SIGTERM the broker closes its logs, so that the next start need not check them. */
function stopBroker(pid: number, paths: Paths): Promise<void> {
  return stopProcess(pid, paths.properties, [
    { signal: 'SIGTERM', waitMs: 8_000 },
    { signal: 'SIGKILL', waitMs: 1_000 },
  ])
}
