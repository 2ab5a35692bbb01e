import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { parseArgs } from 'node:util'
import { type Config, loadConfig, requireSecrets } from '#libs/config'
import { CodedError, messageOf } from '#libs/errors'
import { type ParsedDsn, parseDsn } from './parse-dsn.ts'

/** What a relay of a Kratos source is asked to do. */
export interface KratosMode {
  /** Stop taking, wait until nothing is under way, end. */
  readonly drain: boolean
  /** Take rows again after a drain. */
  readonly resume: boolean
  /** First queue what another courier left in processing. */
  readonly adoptProcessing: boolean
  /** Create the schema and end. */
  readonly prepare: boolean
}

export interface KratosRelayConfig {
  readonly instance: string
  readonly dsn: ParsedDsn
  readonly kafka: Config['postrider']['kafka']
  readonly secrets: readonly string[]
  readonly metricsPort: number
  readonly mode: KratosMode
  /** How long a database that is away is waited for; undefined for good. */
  readonly patienceMs: number | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** Of a command that ends by itself: somebody, or a step of a deployment, waits for its end. */
const PATIENCE_MS = 30_000
const DSN_NAMES = ['KRATOS_DSN', 'DSN'] as const

/** Which rows a relay is to take: those of our outboxes unless told otherwise. @throws CONFIG_INVALID */
export function isKratosSource(args: readonly string[], env: Environment): boolean {
  const source = parseOptions(args).source ?? env.POSTRIDER_RELAY_SOURCE
  if (source === undefined || source === '' || source === 'outbox') return false
  if (source === 'kratos') return true
  throw new CodedError('CONFIG_INVALID', 'relay --source (POSTRIDER_RELAY_SOURCE): allowed outbox, kratos')
}

/** @throws CONFIG_INVALID */
export function loadKratosConfig(args: readonly string[], env: Environment): KratosRelayConfig {
  const options = parseOptions(args)
  const mode = modeOf(options)
  const config = loadConfig({ env })
  if (!mode.prepare) requireSecrets(config)
  const { postrider } = config
  return {
    instance: env.POSTRIDER_INSTANCE ?? `relay-kratos@${hostname()}`,
    dsn: parseDsn(readDsn(env)),
    kafka: postrider.kafka,
    secrets: config.secrets.cipher,
    metricsPort: postrider.relay.metrics_port,
    mode,
    patienceMs: mode.prepare || mode.drain ? PATIENCE_MS : undefined,
  }
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        source: { type: 'string' },
        drain: { type: 'boolean', default: false },
        resume: { type: 'boolean', default: false },
        'adopt-processing': { type: 'boolean', default: false },
        prepare: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new CodedError('CONFIG_INVALID', `relay: ${messageOf(error)}`, { cause: error })
  }
}

function modeOf(options: ReturnType<typeof parseOptions>): KratosMode {
  const { drain = false, resume = false, prepare = false, 'adopt-processing': adoptProcessing = false } = options
  if (drain && (resume || adoptProcessing))
    throw new CodedError('CONFIG_INVALID', 'relay --drain: takes nothing, so neither --resume nor --adopt-processing')
  return { drain, resume, adoptProcessing, prepare }
}

/** `KRATOS_DSN`, else Kratos' own `DSN`; each may stand in a file that `…_FILE` names. */
function readDsn(env: Environment): string {
  for (const name of DSN_NAMES) {
    const value = env[name] || fileValue(env, `${name}_FILE`)
    if (value) return value
  }
  throw new CodedError(
    'CONFIG_INVALID',
    'KRATOS_DSN: found nothing, allowed the dsn of Kratos; set KRATOS_DSN, DSN, or either with _FILE, or pass --dsn',
  )
}

function fileValue(env: Environment, name: string): string | undefined {
  const path = env[name]
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new CodedError('CONFIG_INVALID', `${name}: found a file that cannot be read (${reason})`, { cause: error })
  }
}
