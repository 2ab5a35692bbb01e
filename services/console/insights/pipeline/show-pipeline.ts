/** GET /admin/courier/pipeline: what is on its way, stage by stage. Asks PostgreSQL and the projector, never Kafka. */
import { type Database, pgCode, type Tx } from '#libs/database'
import { findStage, MOST, type StageRow } from './pipeline-repository.ts'
import { projectorLag } from './projector-lag.ts'

export interface Stage {
  readonly stage: 'outbox' | 'topic' | 'sending' | 'waiting' | 'projector'
  /** null: not known. */
  readonly count: number | null
  readonly oldest_age_s: number | null
  /** What the numbers do not say. */
  readonly note?: string
}

type Found = Omit<Stage, 'stage'>

const LONGEST_MS = 2_000
const CANCELED = '57014'
const UNKNOWN: Found = { count: null, oldest_age_s: null, note: 'Not counted within 2 s.' }

/** @param project null for all. @param projector base URL of its metrics */
export async function showPipeline(
  project: string | null,
  database: Database,
  projector: string | undefined,
): Promise<Stage[]> {
  const [outbox, topic, sending, waiting, projection] = await Promise.all([
    inTime(database, (tx) => findStage(tx, 'outbox', project).then(shown)),
    inTime(database, (tx) => findStage(tx, 'topic', project).then(shown)),
    inTime(database, (tx) => findStage(tx, 'sending', project).then(shown)),
    inTime(database, async (tx) => {
      const row = await findStage(tx, 'waiting', project)
      const overdue = row.overdue > 0 ? [`${row.overdue} due for ${Math.round(row.overdue_s ?? 0)} s at most`] : []
      const held = row.held > 0 ? [`${row.held} held until an operator decides`] : []
      const more = [...overdue, ...held].join('; ')
      return { ...shown(row), ...(more !== '' && { note: `${more}.` }) }
    }),
    findProjection(project, database, projector),
  ])
  return [
    { stage: 'outbox', ...outbox },
    { stage: 'topic', ...topic, ...(topic.note === undefined && topic.count !== 0 && { note: AS_PROJECTED }) },
    { stage: 'sending', ...sending },
    { stage: 'waiting', ...waiting },
    { stage: 'projector', ...projection },
  ]
}

const AS_PROJECTED = 'Messages that no courier has taken, as far as the projector has read.'

async function findProjection(
  project: string | null,
  database: Database,
  projector: string | undefined,
): Promise<Found> {
  const [unprojected, lag] = await Promise.all([
    inTime(database, (tx) => findStage(tx, 'unprojected', project).then(shown)),
    projectorLag(projector),
  ])
  if (lag !== undefined)
    return {
      count: unprojected.count,
      oldest_age_s: lag === 0 ? null : round(lag),
      note: `${OF_CONSOLE} ${OF_PROJECTOR}`,
    }
  return { ...unprojected, note: `The projector gives no answer. ${OF_CONSOLE}` }
}

const OF_CONSOLE = 'Counted are messages that a console accepted and that are not in the read model yet.'
const OF_PROJECTOR = 'The age is that of the oldest record that the projector read and did not apply.'

function shown({ count, oldest_age_s }: StageRow): Found {
  const isCapped = count >= MOST
  // The clocks of two machines may disagree by a little.
  const age = oldest_age_s === null ? null : Math.max(0, round(oldest_age_s))
  return { count, oldest_age_s: age, ...(isCapped && { note: `${MOST - 1} or more.` }) }
}

async function inTime(database: Database, find: (tx: Tx) => Promise<Found>): Promise<Found> {
  try {
    return await database.transaction(async (tx) => {
      await tx.query({ text: `set local statement_timeout = ${LONGEST_MS}` })
      return find(tx)
    })
  } catch (error) {
    if (pgCode(error) !== CANCELED) throw error
    return UNKNOWN
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10
}
