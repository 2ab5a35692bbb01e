import { existsSync } from 'node:fs'
import { CodedError } from '#libs/errors'
import { completeConfig } from './complete-config.ts'
import { unknownKey } from './explain-error.ts'
import { knownPart, valueAt, withDefaults, withValue } from './merge-config.ts'
import { nearestKey } from './nearest-key.ts'
import { type Problem, shownKey, toldWithPlace } from './problem.ts'
import { type ConfigFile, configFileNames, readConfigFile } from './read-config-file.ts'
import { type Environment, readEnvironment } from './read-environment.ts'
import { CONFIG_SCHEMA, type Config } from './schema.ts'
import { isRecord, type Path } from './schema-node.ts'
import { problemsOf } from './validate-config.ts'

const USUAL_FILE = 'postrider.yaml'

/** What is known of a configuration beside its values. */
const origins = new WeakMap<Config, { readonly ignored: readonly string[]; readonly given: unknown }>()

export interface LoadOptions {
  readonly env: Environment
  /** Later ones over earlier ones. @default those of POSTRIDER_CONFIG, with commas between, else ./postrider.yaml where there is one */
  readonly file?: string | readonly string[]
}

/**
 * Merges the defaults, the files and the environment, later ones over earlier ones, and validates the whole. The result is frozen.
 * @throws CONFIG_INVALID with a line per mistake: its place, its key, what was found and what is allowed; never with a secret
 */
export function loadConfig({ env, file: given }: LoadOptions): Config {
  const files = openFiles(given ?? env.POSTRIDER_CONFIG ?? '')
  const values = files.map(({ value }) => value)
  return compose(values, env, files)
}

export interface ParseOptions {
  /** Of the dev mailbox, which takes the mail while no target is set. */
  readonly mailboxPort?: string | undefined
}

/**
 * The configuration of one project, as it is stored: defaults, and `value` over them.
 * @throws CONFIG_INVALID with a line per mistake, as `loadConfig`
 */
export function parseConfig(value: unknown, { mailboxPort }: ParseOptions = {}): Config {
  return compose([value], mailboxPort === undefined ? {} : { POSTRIDER_MAILBOX_SMTP_PORT: mailboxPort })
}

/** @param values parts of the configuration, later ones over earlier ones; `files` are where they came from */
function compose(values: readonly unknown[], env: Environment, files: readonly ConfigFile[] = []): Config {
  const ignored = new Set<string>()
  const problems: Problem[] = []
  const onIgnored = (path: Path, siblings: readonly string[]): void => {
    const key = String(path.at(-1))
    if (nearestKey(key, siblings) === undefined) ignored.add(shownKey(path))
    else problems.push(unknownKey(CONFIG_SCHEMA, path.slice(0, -1), key))
  }
  const parts = values.map((value) => knownPart(CONFIG_SCHEMA, value ?? {}, onIgnored))
  // One of the wrong shape is not hidden by a later one.
  const fromFiles =
    parts.find((part) => !isRecord(part)) ?? parts.reduce((below, part) => withValue(below, [], part), {})

  const environment = readEnvironment(CONFIG_SCHEMA, env)
  problems.push(...environment.problems)
  const merged = environment.assignments.reduce<unknown>(
    (merging, each) => withValue(merging, each.path, each.value),
    fromFiles,
  )
  const complete = withDefaults(CONFIG_SCHEMA, merged)
  problems.push(...problemsOf(complete))
  if (problems.length > 0) {
    const sources = { files, assignments: environment.assignments }
    const lines = problems.map((problem) => toldWithPlace(problem, sources))
    throw new CodedError('CONFIG_INVALID', lines.join('\n'))
  }
  const config = deepFreeze(completeConfig(complete as Config, env))
  origins.set(config, { ignored: [...ignored], given: merged })
  return config
}

/** Keys of the file that belong to a Kratos configuration and mean nothing to Postrider, in the order of the files, each once. */
export function ignoredKeys(config: Config): readonly string[] {
  return origins.get(config)?.ignored ?? []
}

/** Whether a file or the environment set `key`, such as `postrider.kafka.brokers`; else its value is the default. */
export function isConfigured(config: Config, key: string): boolean {
  return valueAt(origins.get(config)?.given, key) !== undefined
}

/** What files and environment set, without any default. */
export function givenValues(config: Config): unknown {
  return origins.get(config)?.given
}

/** The files that `loadConfig` reads: those of POSTRIDER_CONFIG, else the usual one, whether it is there or not. */
export function configFilesOf({ POSTRIDER_CONFIG = '' }: Environment): string[] {
  const named = configFileNames(POSTRIDER_CONFIG)
  return named.length > 0 ? named : [USUAL_FILE]
}

function openFiles(given: string | readonly string[]): ConfigFile[] {
  const named = typeof given === 'string' ? configFileNames(given) : given
  if (named.length > 0) return named.map(readConfigFile)
  return existsSync(USUAL_FILE) ? [readConfigFile(USUAL_FILE)] : []
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}
