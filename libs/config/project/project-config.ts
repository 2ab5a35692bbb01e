/** The configuration of one project as a document: how it is shown, and how a new one becomes what is stored. */
import { isDeepStrictEqual } from 'node:util'
import { CodedError, isCoded } from '#libs/errors'
import { givenValues, ignoredKeys, parseConfig } from '../load-config.ts'
import { withDefaults } from '../merge-config.ts'
import { toldWithPlace } from '../problem.ts'
import { CONFIG_SCHEMA, type Config } from '../schema.ts'
import { targetProblems } from './check-targets.ts'
import { type Change, changesBetween, type ShownDocument } from './compare-documents.ts'
import { maskSecrets } from './mask-secrets.ts'
import { onlyProjectPart, projectPart, type ScopeOptions } from './project-scope.ts'
import { restoreSecrets } from './restore-secrets.ts'
import { withoutDefaults } from './without-defaults.ts'

export interface NewProjectConfig {
  /** To be stored: complete with its secrets, without what the defaults say anyway. */
  readonly document: Record<string, unknown>
  /** The same with every default. */
  readonly config: Config
  /** Keys that were given and mean nothing here. */
  readonly ignored: readonly string[]
}

/** `stored` over the defaults, without secrets. */
export function shownProjectConfig(stored: unknown, scope: ScopeOptions): Record<string, unknown> {
  return onlyProjectPart(shownDocument(stored, scope).shown, scope)
}

/**
 * Reads a document that somebody wrote, perhaps over one that was shown: masks stand for the secrets of `stored`.
 * @throws CONFIG_INVALID with a line per mistake, each with its key; never with a secret
 */
export function readProjectConfig(given: unknown, stored: unknown, scope: ScopeOptions): NewProjectConfig {
  const { document: inScope, ignored } = projectPart(given, scope)
  const { document: restored, problems } = restoreSecrets(CONFIG_SCHEMA, inScope, stored)
  const lines = problems.map((problem) => toldWithPlace(problem, { files: [], assignments: [] }))
  const config = parsed(restored, lines)
  lines.push(...(config === undefined ? [] : targetProblems(config)))
  if (config === undefined || lines.length > 0) throw new CodedError('CONFIG_INVALID', [...new Set(lines)].join('\n'))
  const document = onlyProjectPart(withoutDefaults(CONFIG_SCHEMA, givenValues(config)), scope)
  return { document, config, ignored: [...ignored, ...ignoredKeys(config)] }
}

/** Notes in `lines` what is wrong; a key that is told already is not told twice. */
function parsed(document: unknown, lines: string[]): Config | undefined {
  try {
    return parseConfig(document)
  } catch (error) {
    if (!isCoded(error, 'CONFIG_INVALID')) throw error
    const told = new Set(lines.map((line) => line.split(': ')[0]))
    lines.push(...error.message.split('\n').filter((line) => !told.has(line.split(': ')[0])))
    return undefined
  }
}

/** What file and environment say of the project `default`: what was set, not what the defaults make of it. */
export function operatorDocument(config: Config): Record<string, unknown> {
  return onlyProjectPart(givenValues(config), { isDefault: true })
}

/** Whether both mean the same, be it said or left to the defaults. */
export function isSameProjectConfig(a: unknown, b: unknown, scope: ScopeOptions): boolean {
  return isDeepStrictEqual(shownDocument(a, scope).document, shownDocument(b, scope).document)
}

/** What differs between two stored documents, in effect and as it may be shown. */
export function projectConfigChanges(before: unknown, after: unknown, scope: ScopeOptions): Change[] {
  return changesBetween(shownDocument(before, scope), shownDocument(after, scope))
}

function shownDocument(stored: unknown, scope: ScopeOptions): ShownDocument {
  const document = onlyProjectPart(withDefaults(CONFIG_SCHEMA, stored ?? {}), scope)
  return { document, shown: maskSecrets(CONFIG_SCHEMA, document) }
}
