/**
 * Notices another courier on the same database. Kratos' own takes rows without a lock: beside a relay some mails would be sent twice, some
 * by its settings and not by ours.
 */
import type { Database, Tx } from '#libs/database'
import type { Logger } from '#libs/telemetry'
import { confirmForeign } from './write-back.ts'

export interface CourierWatch {
  /**
   * Looks for rows that changed, or ended, by no doing of any relay.
   * @param isTaking false while the source is drained: new rows are another courier's by right then
   */
  readonly look: (isTaking: boolean) => Promise<void>
  /** Told of rows that were found changed elsewhere. */
  readonly report: (kratosIds: readonly string[]) => void
  /** What to do, while the last finding is fresh. */
  readonly problem: () => string | undefined
}

export interface CourierWatchOptions {
  readonly database: Database
  readonly log: Logger
  readonly onFound: (count: number) => void
  /** @returns ms */
  readonly now: () => number
}

const REMEDY =
  'another courier is running on this database, or rows are changed by hand: start Kratos without --watch-courier, ' +
  'and stop "kratos courier watch"'
const FRESH_MS = 5 * 60_000
/** Ids in one line of the log. */
const MOST_TOLD = 10

export function openCourierWatch({ database, log, onFound, now }: CourierWatchOptions): CourierWatch {
  let since: string | undefined
  let foundAtMs = Number.NEGATIVE_INFINITY

  function report(kratosIds: readonly string[]): void {
    if (kratosIds.length === 0) return
    foundAtMs = now()
    onFound(kratosIds.length)
    log.error({ rows: kratosIds.length, source_ids: kratosIds.slice(0, MOST_TOLD) }, REMEDY)
  }

  return {
    look: async (isTaking) => {
      report(await confirmForeign(database, await suspects(database)))
      if (!isTaking) {
        since = undefined
        return
      }
      // Only rows that are made from now on: those before may have been another courier's by right.
      since ??= await clockOf(database)
      const strangers = await handledElsewhere(database, since)
      since = strangers.at(-1)?.created_at ?? since
      report(strangers.map(({ id }) => id))
    },
    report,
    problem: () => (now() - foundAtMs < FRESH_MS ? REMEDY : undefined),
  }
}

async function clockOf(database: Tx): Promise<string> {
  const { rows } = await database.query<{ now: string }>({
    text: "select (clock_timestamp() at time zone 'UTC')::text as now",
  })
  return rows[0]!.now
}

/** One snapshot: every relay changes both tables in one transaction. */
async function suspects(database: Tx): Promise<Map<string, string>> {
  const { rows } = await database.query<{ message_id: string; kratos_id: string }>({
    name: 'changed-rows',
    text: `select e.message_id, e.kratos_id from postrider_kratos.message e
           join courier_messages m on m.id = e.kratos_id
           where (e.ended_at is null or e.ended_at > now() - interval '10 minutes')
             and e.changed_by_others_at is null
             and (m.send_count <> e.written_count or (e.status = 3 and m.status in (2, 4)))
             and not exists (
               select from postrider_kratos.message n where n.kratos_id = e.kratos_id and n.generation > e.generation)
           limit 1000`,
  })
  return new Map(rows.map(({ message_id, kratos_id }) => [message_id, kratos_id]))
}

/** Rows of the last minutes that are past queued and were never reserved, oldest first. */
async function handledElsewhere(database: Tx, since: string): Promise<{ id: string; created_at: string }[]> {
  const { rows } = await database.query<{ id: string; created_at: string }>({
    name: 'handled-elsewhere',
    text: `select m.id, m.created_at::text as created_at from courier_messages m
           where m.nid in (select id from networks) and m.status in (2, 3, 4)
             and m.created_at > greatest($1::timestamp, (now() at time zone 'UTC') - interval '15 minutes')
             and not exists (select from postrider_kratos.message e where e.kratos_id = m.id)
           order by m.created_at limit 1000`,
    values: [since],
  })
  return rows
}
