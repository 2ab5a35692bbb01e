/** The configurations of projects, as far as they are stored: their newest revisions. Opened, checked, never thrown away for one that is broken. */
import { type Config, parseConfig } from '#libs/config'
import type { Tx } from '#libs/database'
import { messageOf } from '#libs/errors'
import { DEFAULT_PROJECT_ID, type Sealer } from '#libs/messages'
import type { Logger } from '#libs/telemetry'

/** The newest revision of a project's configuration that could be read. */
export interface ProjectRevision {
  readonly projectId: string
  readonly number: number
  /** As people call it; changes without a new number. */
  readonly name: string
  readonly settings: Config
}

/** By project: what was loaded last, be it broken or not. Empty at the start, and kept by whoever loads. */
export type SeenRevisions = Map<string, { readonly number: number; readonly name: string }>

export interface LoadRevisionsOptions {
  readonly sealer: Pick<Sealer, 'open'>
  readonly seen: SeenRevisions
  readonly log: Pick<Logger, 'error'>
  /** Only that project. @default all of them */
  readonly projectId?: string | undefined
  /** POSTRIDER_MAILBOX_SMTP_PORT: where the mail of the project `default` goes while nothing else is set. */
  readonly mailboxPort?: string | undefined
  /** Told of a project that has revisions none of which can be read: what holds for it is not known, so that nothing else may be taken for it. */
  readonly onUnreadable?: (projectId: string) => void
}

/** How far back a start looks for a revision that can be read. */
const EARLIER = 10

/** What PostgreSQL notifies of each new revision or name, with the project's id. For LISTEN: a hint, so that one looks now and then as well. */
export const REVISIONS_CHANNEL = 'postrider_config'

interface RevisionRow {
  readonly project_id: string
  readonly number: number
  readonly name: string
  readonly sealed: string
}

// One look into the index per project, however many revisions it has.
const NEWEST = `
  select p.id as project_id, p.name, r.number, r.sealed
  from config.project p
  cross join lateral (
    select number, sealed from config.revision where project_id = p.id order by number desc limit 1
  ) r
  left join unnest($1::uuid[], $2::int[], $3::text[]) as k (id, number, name) on k.id = p.id
  where ($4::uuid is null or p.id = $4) and (k.id is null or r.number > k.number or p.name <> k.name)`

const EARLIER_ONES = `
  select r.project_id, p.name, r.number, r.sealed
  from config.revision r join config.project p on p.id = r.project_id
  where r.project_id = $1 and r.number < $2 order by r.number desc limit ${EARLIER}`

/**
 * Reads the newest revision of each project whose number or name is not the one that `seen` says, and notes it there. One that cannot
 * be opened or is not valid is reported, once, and left out: the project goes on with what it had, which at a start is the newest of
 * its earlier ones that can be read. Not twice at once for one `seen`.
 */
export async function loadRevisions(database: Tx, options: LoadRevisionsOptions): Promise<ProjectRevision[]> {
  const { seen, projectId = null } = options
  const known = [...seen.values()]
  const { rows } = await database.query<RevisionRow>({
    name: 'newest-revisions',
    text: NEWEST,
    values: [[...seen.keys()], known.map(({ number }) => number), known.map(({ name }) => name), projectId],
  })
  const found: ProjectRevision[] = []
  for (const row of rows) {
    const revision =
      read(row, options) ?? (seen.has(row.project_id) ? undefined : await earlierOne(database, row, options))
    if (revision !== undefined) found.push(revision)
    else if (!seen.has(row.project_id)) options.onUnreadable?.(row.project_id)
  }
  // Only now: what a failing statement keeps from the caller is read again.
  for (const { project_id: id, number, name } of rows) seen.set(id, { number, name })
  return found
}

function read(row: RevisionRow, { sealer, seen, log, mailboxPort }: LoadRevisionsOptions): ProjectRevision | undefined {
  const { project_id: projectId, number, name, sealed } = row
  try {
    const port = projectId === DEFAULT_PROJECT_ID ? mailboxPort : undefined
    return { projectId, number, name, settings: parseConfig(sealer.open(projectId, sealed), { mailboxPort: port }) }
  } catch (error) {
    const refused = { project_id: projectId, revision: number, reason: messageOf(error) }
    if (seen.get(projectId)?.number !== number) log.error(refused, 'configuration of a project refused')
    return undefined
  }
}

async function earlierOne(
  database: Tx,
  { project_id: id, number }: RevisionRow,
  options: LoadRevisionsOptions,
): Promise<ProjectRevision | undefined> {
  const { rows } = await database.query<RevisionRow>({ text: EARLIER_ONES, values: [id, number] })
  for (const row of rows) {
    const revision = read(row, options)
    if (revision !== undefined) return revision
  }
  return undefined
}
