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
import { serverFiles } from '#libs/projects'
import { scopeOf } from './find-project.ts'

export interface Writing {
  /** undefined for a project that is not made yet. */
  readonly projectId: string | undefined
  readonly projectName: string
  /** Whose secrets the masks in `given` stand for. */
  readonly stored: unknown
}

export interface AcceptedConfig {
  readonly document: Readonly<Record<string, unknown>>
  readonly warnings: readonly string[]
}

const { from_address: USUAL_ADDRESS } = parseConfig({}).courier.smtp

/** @throws REQUEST_INVALID with every mistake in `details.problems` */
export function acceptConfig(given: unknown, { projectId = '', projectName, stored }: Writing): AcceptedConfig {
  const scope = scopeOf(projectId)
  const { document, config, ignored } = read(given, stored, scope.isDefault)
  const files = scope.isDefault ? [] : serverFiles(config)
  if (files.length > 0) throw invalid(files.map((key) => `${key}: found a file of the server, ${EMBED}`))
  return {
    document,
    warnings: [
      ...ignored.map((key) => `${key}: ignored, since it is not part of a project's configuration`),
      ...(scope.isDefault ? [] : senderWarnings(config, projectName)),
      ...deliveryWarnings(config),
    ],
  }
}

const EMBED =
  'which only the project default may read: embed it as base64:// followed by its content in Base64 (postrider update ' +
  'identity-config does that for templates and bodies), or give an http:// or https:// URI; paths of folders and certificates ' +
  'have to be left out'

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
