/** The one way to a new revision: under the project's lock, sealed, and only where something changes. */
import { isSameProjectConfig } from '#libs/config'
import type { Tx } from '#libs/database'
import { CodedError, isCoded } from '#libs/errors'
import type { Sealer } from '#libs/messages'
import { writeAudit } from '../actions/audit.ts'
import { scopeOf } from './find-project.ts'
import { lockProject } from './project-repository.ts'
import { insertRevision, newestRevision } from './revision-repository.ts'

/** Binds the seal to its use. */
const SEALED_AS = 'revision'
/** Who writes what the operator's file and environment say. */
export const FILE_AUTHOR = 'file'

export interface Stored {
  /** 0 where the project has none. */
  readonly revision: number
  /** undefined where it was sealed by a secret that is not there any more. */
  readonly document: unknown
  /** undefined where the project has none. */
  readonly author: string | undefined
}

/** The newest configuration; nobody replaces it until the transaction ends. */
export async function lockNewest(tx: Tx, sealer: Sealer, projectId: string): Promise<Stored> {
  await lockProject(tx, projectId)
  const row = await newestRevision(tx, projectId)
  if (row === undefined) return { revision: 0, document: {}, author: undefined }
  return { revision: row.number, document: openWhereReadable(sealer, projectId, row.sealed), author: row.author }
}

function openWhereReadable(sealer: Sealer, projectId: string, sealed: string): unknown {
  try {
    return sealer.open(projectId, sealed)
  } catch (error) {
    if (isCoded(error, 'SEAL_UNKNOWN_KEY') || isCoded(error, 'SEAL_BROKEN')) return undefined
    throw error
  }
}

export interface NewRevision {
  readonly projectId: string
  readonly document: Readonly<Record<string, unknown>>
  readonly author: string
}

/** @param newest under lock. @returns the number of `document`: a new one, or that of `newest` where both mean the same */
export async function storeRevision(
  tx: Tx,
  sealer: Sealer,
  newest: Stored,
  { projectId, document, author }: NewRevision,
): Promise<number> {
  const isSame =
    newest.revision > 0 &&
    newest.document !== undefined &&
    isSameProjectConfig(newest.document, document, scopeOf(projectId))
  if (isSame) return newest.revision
  const number = newest.revision + 1
  await insertRevision(tx, projectId, { number, author, sealed: sealer.seal(projectId, SEALED_AS, document) })
  await writeAudit(tx, { actor: author, action: 'project.configure', projectId, details: { revision: number } })
  return number
}

/** What `If-Match` asks for; undefined for nothing. */
export type ExpectedRevision = number | undefined

/** @throws REVISION_MISMATCH */
export function checkExpected(expected: ExpectedRevision, { revision }: Stored): void {
  if (expected === undefined || expected === revision) return
  throw new CodedError(
    'REVISION_MISMATCH',
    `If-Match: found revision ${expected}, the newest is ${revision}: read the identity config again and repeat the change`,
    { details: { revision } },
  )
}
