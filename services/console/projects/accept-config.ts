/** What a writer of an identity config is told: every mistake by its key, else the document to store and warnings. */
import {
  type Config,
  deliveryWarnings,
  hasOwnTarget,
  type NewProjectConfig,
  parseConfig,
  readProjectConfig,
} from '#libs/config'
import { CodedError, isCoded } from '#libs/errors'
import { namedFiles } from '#libs/projects'
import { headerProblems } from '#libs/smtp'
import { scopeOf } from './find-project.ts'

export interface Writing {
  /** undefined for a project that is not made yet. */
  readonly projectId: string | undefined
  readonly projectName: string
  /** Whose secrets the masks in `given` stand for. */
  readonly stored: unknown
  /** Whether it is what the operator's own file and environment say. @default false */
  readonly isOperators?: boolean
}

export interface AcceptedConfig {
  readonly document: Readonly<Record<string, unknown>>
  /** What it means, complete. */
  readonly config: Config
  readonly warnings: readonly string[]
}

const { from_address: USUAL_ADDRESS } = parseConfig({}).courier.smtp

/** @throws REQUEST_INVALID with every mistake in `details.problems` */
export function acceptConfig(given: unknown, writing: Writing): AcceptedConfig {
  const { projectId = '', projectName, stored, isOperators = false } = writing
  const scope = scopeOf(projectId)
  const { document, config, ignored } = read(given, stored, scope.isDefault)
  const files = isOperators ? [] : filesBesides(scope.isDefault ? stored : {}, config)
  const problems = [
    ...files.map((key) => `${key}: found a file of the server, ${EMBED}`),
    ...headerProblems(config.courier.smtp.headers),
  ]
  if (problems.length > 0) throw invalid(problems)
  return {
    document,
    config,
    warnings: [
      ...ignored.map((key) => `${key}: ignored, since it is not part of a project's configuration`),
      ...(scope.isDefault ? [] : senderWarnings(config, projectName)),
      ...deliveryWarnings(config),
    ],
  }
}

const EMBED =
  'which only the project default may read, and only where the configuration file of the operator says so: embed it as base64:// ' +
  'followed by its content in Base64 (postrider update identity-config does that for templates and bodies), or give an http:// or ' +
  'https:// URI; paths of folders and certificates have to be left out'

/**
 * The keys of `config` that name other files than `stored` does: whoever may write the project default over the API is not thereby
 * whoever may read the disk of this server, and with it the secrets of its process.
 */
function filesBesides(stored: unknown, config: Config): string[] {
  const known = namedFiles(storedConfig(stored)).map(([, file]) => file)
  return namedFiles(config)
    .filter(([, file]) => !known.includes(file))
    .map(([key]) => key)
}

/** What cannot be read any more names nothing. */
function storedConfig(stored: unknown): Config {
  try {
    return parseConfig(stored ?? {})
  } catch (error) {
    if (isCoded(error, 'CONFIG_INVALID')) return parseConfig({})
    throw error
  }
}

function read(given: unknown, stored: unknown, isDefault: boolean): NewProjectConfig {
  try {
    return readProjectConfig(given, stored, { isDefault })
  } catch (error) {
    if (isCoded(error, 'CONFIG_INVALID')) throw invalid(error.message.split('\n'))
    throw error
  }
}

function invalid(problems: readonly string[]): CodedError {
  const message = `The identity config is not valid, nothing was stored: ${problems.join('\n')}`
  return new CodedError('REQUEST_INVALID', message, { details: { problems } })
}

function senderWarnings(config: Config, projectName: string): string[] {
  if (hasOwnTarget(config)) return []
  const { from_address, from_name } = config.courier.smtp
  const ignored = [
    ...(from_address === USUAL_ADDRESS ? [] : ['from_address']),
    ...(from_name === undefined ? [] : ['from_name']),
  ]
  return ignored.map(
    (key) =>
      `courier.smtp.${key}: ignored while the project has neither courier.smtp.connection_uri nor delivery_strategy: http; ` +
      `its mail goes through the operator's provider, from "${projectName} via Postrider"`,
  )
}
