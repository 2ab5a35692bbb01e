import { existsSync } from 'node:fs'
import { CodedError } from '#libs/errors'
import { completeConfig } from './complete-config.ts'
import { unknownKey } from './explain-error.ts'
import { knownPart, valueAt, withDefaults, withValue } from './merge-config.ts'
import { nearestKey } from './nearest-key.ts'
import { type Problem, shownKey, toldWithPlace } from './problem.ts'
import { type ConfigFile, readConfigFile } from './read-config-file.ts'
import { type Environment, readEnvironment } from './read-environment.ts'
import { CONFIG_SCHEMA, type Config } from './schema.ts'
import { problemsOf } from './validate-config.ts'

const USUAL_FILE = 'postrider.yaml'

/** What is known of a configuration beside its values. */
const origins = new WeakMap<Config, { readonly ignored: readonly string[]; readonly given: unknown }>()

export interface LoadOptions {
  readonly env: Environment
  /** @default POSTRIDER_CONFIG, else ./postrider.yaml where there is one */
  readonly file?: string
}

/**
 * Merges the defaults, the file and the environment, later ones over earlier ones, and validates the whole. The result is frozen.
 * @throws CONFIG_INVALID with a line per mistake: its place, its key, what was found and what is allowed; never with a secret
 */
export function loadConfig({ env, file: given }: LoadOptions): Config {
  const file = openFile(given ?? env.POSTRIDER_CONFIG)
  return compose(file?.value, env, file)
}

/**
 * The configuration of one project, as it is stored: defaults, and `value` over them.
 * @throws CONFIG_INVALID with a line per mistake, as `loadConfig`
 */
export function parseConfig(value: unknown): Config {
  return compose(value, {}, undefined)
}

function compose(value: unknown, env: Environment, file: ConfigFile | undefined): Config {
  const ignored: string[] = []
  const problems: Problem[] = []
  const fromFile = knownPart(CONFIG_SCHEMA, value ?? {}, (path, siblings) => {
    const key = String(path.at(-1))
    if (nearestKey(key, siblings) === undefined) ignored.push(shownKey(path))
    else problems.push(unknownKey(CONFIG_SCHEMA, path.slice(0, -1), key))
  })

  const environment = readEnvironment(CONFIG_SCHEMA, env)
  problems.push(...environment.problems)
  const merged = environment.assignments.reduce<unknown>(
    (merging, each) => withValue(merging, each.path, each.value),
    fromFile,
  )
  const complete = withDefaults(CONFIG_SCHEMA, merged)
  problems.push(...problemsOf(complete))
  if (problems.length > 0) {
    const sources = { file, assignments: environment.assignments }
    const lines = problems.map((problem) => toldWithPlace(problem, sources))
    throw new CodedError('CONFIG_INVALID', lines.join('\n'))
  }
  const config = deepFreeze(completeConfig(complete as Config, env))
  origins.set(config, { ignored, given: merged })
  return config
}

/** Keys of the file that belong to a Kratos configuration and mean nothing to Postrider, in the file's order. */
export function ignoredKeys(config: Config): readonly string[] {
  return origins.get(config)?.ignored ?? []
}

/** Whether file or environment set `key`, such as `postrider.kafka.brokers`; else its value is the default. */
export function isConfigured(config: Config, key: string): boolean {
  return valueAt(origins.get(config)?.given, key) !== undefined
}

function openFile(name: string | undefined): ConfigFile | undefined {
  if (name) return readConfigFile(name)
  return existsSync(USUAL_FILE) ? readConfigFile(USUAL_FILE) : undefined
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}
