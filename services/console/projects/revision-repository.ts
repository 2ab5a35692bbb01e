/** Revisions of configurations in the database, and what was taken over from the operator's file. */
import type { Tx } from '#libs/database'

export interface RevisionRow {
  readonly number: number
  readonly sealed: string
  readonly author: string
  readonly created_at: Date
}

const REVISION = 'select number, sealed, author, created_at from config.revision where project_id = $1'

export async function newestRevision(tx: Tx, projectId: string): Promise<RevisionRow | undefined> {
  const { rows } = await tx.query<RevisionRow>({
    text: `${REVISION} order by number desc limit 1`,
    values: [projectId],
  })
  return rows[0]
}

export async function findRevision(tx: Tx, projectId: string, number: number): Promise<RevisionRow | undefined> {
  const { rows } = await tx.query<RevisionRow>({ text: `${REVISION} and number = $2`, values: [projectId, number] })
  return rows[0]
}

/** Newest first. */
export async function listRevisions(tx: Tx, projectId: string): Promise<Omit<RevisionRow, 'sealed'>[]> {
  const { rows } = await tx.query<Omit<RevisionRow, 'sealed'>>({
    text: 'select number, author, created_at from config.revision where project_id = $1 order by number desc',
    values: [projectId],
  })
  return rows
}

/** Couriers are told when the transaction commits. */
export async function insertRevision(
  tx: Tx,
  projectId: string,
  { number, sealed, author }: Omit<RevisionRow, 'created_at'>,
): Promise<void> {
  await tx.query({
    // The time of the statement: a transaction that waited for another one began earlier than that one's revision.
    text: `insert into config.revision (project_id, number, sealed, author, created_at)
           values ($1, $2, $3, $4, clock_timestamp())`,
    values: [projectId, number, sealed, author],
  })
}

/** Of what was last taken over from file and environment; undefined before the first time. */
export async function takenFingerprint(tx: Tx, projectId: string): Promise<string | undefined> {
  const { rows } = await tx.query<{ fingerprint: string }>({
    text: 'select fingerprint from config.file_takeover where project_id = $1',
    values: [projectId],
  })
  return rows[0]?.fingerprint
}

export async function rememberFingerprint(
  tx: Tx,
  projectId: string,
  { fingerprint, revision }: { fingerprint: string; revision: number },
): Promise<void> {
  await tx.query({
    text: `insert into config.file_takeover (project_id, fingerprint, revision) values ($1, $2, $3)
           on conflict (project_id) do update
           set fingerprint = excluded.fingerprint, revision = excluded.revision, taken_at = now()`,
    values: [projectId, fingerprint, revision],
  })
}
