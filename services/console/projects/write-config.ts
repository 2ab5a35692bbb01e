/** Writes identity configs: replaced, patched or rolled back, each in one transaction under the project's lock. */
import { shownProjectConfig } from '#libs/config'
import type { Database, Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import type { Sealer } from '#libs/messages'
import { acceptConfig } from './accept-config.ts'
import { applyJsonPatch } from './apply-json-patch.ts'
import type { CheckEmbedded } from './check-embedded.ts'
import { scopeOf } from './find-project.ts'
import type { ProjectRow } from './project-repository.ts'
import { findRevision } from './revision-repository.ts'
import {
  checkExpected,
  type ExpectedRevision,
  FILE_AUTHOR,
  lockNewest,
  type Stored,
  storeRevision,
} from './store-revision.ts'

export interface RevisionPorts {
  readonly database: Database
  readonly sealer: Sealer
}

export interface ProjectPorts extends RevisionPorts {
  /** @throws REQUEST_INVALID for bodies that cannot be parsed */
  readonly checkEmbedded: CheckEmbedded
}

export interface Change {
  readonly project: Pick<ProjectRow, 'id' | 'name'>
  readonly author: string
  readonly expected: ExpectedRevision
}

export interface ChangedConfig {
  readonly revision: number
  readonly identity_config: Readonly<Record<string, unknown>>
  readonly warnings: readonly string[]
}

/** @throws REQUEST_INVALID, REVISION_MISMATCH */
export function replaceConfig(given: unknown, change: Change, ports: ProjectPorts): Promise<ChangedConfig> {
  return write(change, ports, async ({ document }) => ({ given, secretsOf: document }))
}

/** Applies a JSON Patch (RFC 6902) to the document as it is shown. @throws REQUEST_INVALID, REVISION_MISMATCH */
export function patchConfig(patch: unknown, change: Change, ports: ProjectPorts): Promise<ChangedConfig> {
  return write(change, ports, async ({ document }) => {
    const shown = shownProjectConfig(document, scopeOf(change.project.id))
    return { given: applyJsonPatch(shown, patch), secretsOf: document }
  })
}

/** Makes the content of an earlier revision the newest, with its secrets. @throws NOT_FOUND, REQUEST_INVALID, REVISION_MISMATCH */
export function rollBackConfig(number: number, change: Change, ports: ProjectPorts): Promise<ChangedConfig> {
  return write(change, ports, async (_newest, tx) => {
    const row = await findRevision(tx, change.project.id, number)
    if (row === undefined) throw noSuchRevision()
    const given = ports.sealer.open(change.project.id, row.sealed)
    return { given, secretsOf: given }
  })
}

export function noSuchRevision(): CodedError {
  return new CodedError('NOT_FOUND', 'Unable to locate the resource: the project has no such revision')
}

type NextDocument = (newest: Stored, tx: Tx) => Promise<{ readonly given: unknown; readonly secretsOf: unknown }>

function write(
  { project, author, expected }: Change,
  { database, sealer, checkEmbedded }: ProjectPorts,
  nextDocument: NextDocument,
): Promise<ChangedConfig> {
  return database.transaction(async (tx) => {
    const newest = await lockNewest(tx, sealer, project.id)
    checkExpected(expected, newest)
    const { given, secretsOf } = await nextDocument(newest, tx)
    const writing = { projectId: project.id, projectName: project.name, stored: secretsOf }
    const { document, config, warnings } = acceptConfig(given, writing)
    const broken = await checkEmbedded(config)
    const revision = await storeRevision(tx, sealer, newest, { projectId: project.id, document, author })
    return {
      revision,
      identity_config: shownProjectConfig(document, scopeOf(project.id)),
      warnings: [...(revision === newest.revision ? [] : ownerWarnings(newest, project.id)), ...warnings, ...broken],
    }
  })
}

/** Whoever names no project changes the one that file and environment keep, and would lose the change without a word. */
function ownerWarnings({ document, author }: Stored, projectId: string): string[] {
  const isKept = author === FILE_AUTHOR && Object.keys(Object(document)).length > 0
  if (!isKept || !scopeOf(projectId).isDefault) return []
  return ["default: kept by the operator's file and environment; the next change there replaces this"]
}
