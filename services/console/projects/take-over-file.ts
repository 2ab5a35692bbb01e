/** Makes what the operator's file and environment say a revision of the project `default`, when it really changed. */
import type { Sealer } from '#libs/messages'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { acceptConfig } from './accept-config.ts'
import { rememberFingerprint, takenFingerprint } from './revision-repository.ts'
import { FILE_AUTHOR, lockNewest, storeRevision } from './store-revision.ts'
import type { RevisionPorts } from './write-config.ts'

/**
 * A revision that somebody made by the API stays until the file says something new. Several at once make one revision.
 * @returns its number; undefined where the content is what was taken over last
 * @throws REQUEST_INVALID
 */
export function takeOverFile(
  document: Readonly<Record<string, unknown>>,
  { database, sealer }: RevisionPorts,
): Promise<number | undefined> {
  const projectId = DEFAULT_PROJECT_ID
  return database.transaction(async (tx) => {
    const newest = await lockNewest(tx, sealer, projectId)
    const [fingerprint = '', ...older] = fingerprints(document, sealer)
    const taken = await takenFingerprint(tx, projectId)
    if (taken === fingerprint) return undefined
    // Of the same content under a secret that is being replaced.
    const isKnown = taken !== undefined && older.includes(taken)
    const revision = isKnown
      ? newest.revision
      : await storeRevision(tx, sealer, newest, { projectId, author: FILE_AUTHOR, document: accepted(document) })
    await rememberFingerprint(tx, projectId, { fingerprint, revision })
    return isKnown ? undefined : revision
  })
}

function accepted(given: unknown): Readonly<Record<string, unknown>> {
  return acceptConfig(given, { projectId: DEFAULT_PROJECT_ID, projectName: '', stored: {}, isOperators: true }).document
}

/** Keyed, since the content holds credentials. Newest secret first. */
function fingerprints(document: unknown, sealer: Sealer): string[] {
  return sealer.hmacs(DEFAULT_PROJECT_ID, `configuration file\n${canonical(document)}`)
}

/** The same text for the same content, whatever the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([a], [b]) => (a < b ? -1 : 1)))
      : child,
  )
}
