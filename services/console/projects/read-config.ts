/** Identity configs as they are read: never with a secret. */
import { projectConfigChanges, shownProjectConfig } from '#libs/config'
import { scopeOf } from './find-project.ts'
import { findRevision, listRevisions, newestRevision, type RevisionRow } from './revision-repository.ts'
import { noSuchRevision, type RevisionPorts } from './write-config.ts'

export interface ShownConfig {
  readonly revision: number
  readonly document: Readonly<Record<string, unknown>>
}

/** The newest; all defaults and revision 0 where none was made yet. */
export async function showConfig(projectId: string, { database, sealer }: RevisionPorts): Promise<ShownConfig> {
  const row = await newestRevision(database, projectId)
  const document = row === undefined ? {} : sealer.open(projectId, row.sealed)
  return { revision: row?.number ?? 0, document: shownProjectConfig(document, scopeOf(projectId)) }
}

export async function showRevisions(projectId: string, { database }: RevisionPorts) {
  return listRevisions(database, projectId)
}

/** @throws NOT_FOUND */
export async function showRevision(projectId: string, number: number, ports: RevisionPorts) {
  const { author, created_at, sealed } = await findOr404(projectId, number, ports)
  const document = ports.sealer.open(projectId, sealed)
  return { number, author, created_at, identity_config: shownProjectConfig(document, scopeOf(projectId)) }
}

/** What changed between two revisions; 0 stands for a project on defaults only. @throws NOT_FOUND */
export async function showDifference(
  projectId: string,
  { from, to }: { from: number; to: number },
  ports: RevisionPorts,
) {
  const documentOf = async (number: number): Promise<unknown> => {
    if (number === 0) return {}
    const { sealed } = await findOr404(projectId, number, ports)
    return ports.sealer.open(projectId, sealed)
  }
  const [before, after] = [await documentOf(from), await documentOf(to)]
  return { from, to, changes: projectConfigChanges(before, after, scopeOf(projectId)) }
}

async function findOr404(projectId: string, number: number, { database }: RevisionPorts): Promise<RevisionRow> {
  const row = await findRevision(database, projectId, number)
  if (row === undefined) throw noSuchRevision()
  return row
}
