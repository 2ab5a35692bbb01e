/** The configurations of projects, as far as they are stored: their newest revisions. Opened, checked, never thrown away for one that is broken. */
import { parseConfig } from '#libs/config'
import type { Tx } from '#libs/database'
import { messageOf } from '#libs/errors'
import type { Sealer } from '#libs/messages'
import type { Logger } from '#libs/telemetry'
import type { ProjectRevision } from './project-channels.ts'

interface RevisionRow {
  readonly project_id: string
  readonly number: number
  readonly sealed: string
}

/**
 * Reads the newest revision of each project that is newer than what `seen` says, and notes it there. One that cannot be opened or
 * is not valid is reported, once, and left out: the project goes on with what it had.
 */
export async function loadRevisions(
  database: Tx,
  sealer: Sealer,
  seen: Map<string, number>,
  log: Logger,
): Promise<ProjectRevision[]> {
  const { rows } = await database.query<RevisionRow>({
    name: 'newest-revisions',
    text: `select distinct on (r.project_id) r.project_id, r.number, r.sealed from config.revision r
           left join unnest($1::uuid[], $2::int[]) as k (project_id, number) using (project_id)
           where r.number > coalesce(k.number, 0)
           order by r.project_id, r.number desc`,
    values: [[...seen.keys()], [...seen.values()]],
  })
  return rows.flatMap(({ project_id: projectId, number, sealed }) => {
    seen.set(projectId, number)
    try {
      return [{ projectId, number, settings: parseConfig(sealer.open(projectId, sealed)) }]
    } catch (error) {
      log.error(
        { project_id: projectId, revision: number, reason: messageOf(error) },
        'configuration of a project refused',
      )
      return []
    }
  })
}
