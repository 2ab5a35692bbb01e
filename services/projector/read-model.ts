/** This service's only SQL. Each statement takes a whole batch; rows come ordered by id, so that writers never wait in a circle. */
import type { Tx } from '#libs/database'
import type { MessageState } from '#libs/messages'
import { arrayLiteral, type ColumnValue } from './array-literal.ts'
import type { DeliveryProgress, DispatchRow, MessageFacts, ProjectedMessage } from './project-status.ts'

export interface OffsetMove {
  readonly topic: string
  readonly partition: number
  readonly expected: number
  readonly next: number
}

type Columns<Row> = readonly (readonly [name: string, type: string, value: (row: Row) => ColumnValue])[]

const FACTS: Columns<ProjectedMessage> = [
  fact('project_id', 'uuid'),
  fact('channel', 'text'),
  fact('template_type', 'text'),
  fact('lane', 'text'),
  fact('identity_id', 'text'),
  fact('locale', 'text'),
  fact('source_id', 'text'),
  ['facts_from', 'text', (message) => message.factsFrom],
  fact('sealed', 'text'),
  fact('recipient_hash', 'text'),
  fact('trace_id', 'text'),
  fact('created_at', 'timestamptz'),
  fact('expires_at', 'timestamptz'),
]

const PROGRESS: Columns<ProjectedMessage> = [
  progress('state', 'text'),
  progress('position', 'int'),
  progress('dispatch', 'int'),
  progress('charged', 'int'),
  progress('next_attempt_at', 'timestamptz'),
  progress('reason', 'text'),
  progress('failure_class', 'text'),
  progress('reply_code', 'int'),
  progress('enhanced_code', 'text'),
  progress('error', 'text'),
  progress('possibly_delivered', 'boolean'),
  progress('provider_message_id', 'text'),
  progress('provider_position', 'int'),
  progress('recipient_domain', 'text'),
  ['updated_at', 'timestamptz', ({ progress, facts }) => progress.updated_at ?? facts?.created_at ?? null],
]

const DISPATCHES: Columns<DispatchRow> = [
  dispatch('message_id', 'uuid'),
  dispatch('dispatch', 'int'),
  dispatch('state', 'text'),
  dispatch('id', 'uuid'),
  dispatch('attempt', 'int'),
  dispatch('failure_class', 'text'),
  dispatch('reply_code', 'int'),
  dispatch('enhanced_code', 'text'),
  dispatch('error', 'text'),
  dispatch('decision', 'text'),
  dispatch('duration_ms', 'int'),
  dispatch('durations', 'json'),
  dispatch('command', 'text'),
  dispatch('provider', 'text'),
  dispatch('worker', 'text'),
  dispatch('next_attempt_at', 'timestamptz'),
  dispatch('sealed', 'text'),
  dispatch('created_at', 'timestamptz'),
]

const OFFSETS: Columns<OffsetMove> = [
  ['topic', 'text', (move) => move.topic],
  ['partition', 'int', (move) => move.partition],
  ['expected', 'bigint', (move) => move.expected],
  ['next', 'bigint', (move) => move.next],
]

function fact(name: keyof MessageFacts, type: string): Columns<ProjectedMessage>[number] {
  return [name, type, ({ facts }) => facts?.[name] ?? null]
}

function progress(name: keyof DeliveryProgress, type: string): Columns<ProjectedMessage>[number] {
  return [name, type, (message) => message.progress[name]]
}

function dispatch(name: keyof DispatchRow, type: string): Columns<DispatchRow>[number] {
  return [name, type, (row) => row[name]]
}

/**
 * Moves stored offsets, each only from where it is expected to be, and notes which messages this transaction changes. First statement
 * of a transaction.
 * @returns how many moved: fewer than given means that another projector, or an earlier run, was here.
 */
export async function moveOffsets(tx: Tx, moves: readonly OffsetMove[], ids: readonly string[] = []): Promise<number> {
  const changed = `$${OFFSETS.length + 1}::uuid[]`
  const { rowCount } = await tx.query({
    name: 'move-offsets',
    text: `with noted as (insert into console.change (ids) select ${changed} where cardinality(${changed}) > 0)
           update console.consumer_offset o set next_offset = d.next
           from ${unnest(OFFSETS)}
           where o.topic = d.topic and o.partition = d.partition and o.next_offset = d.expected`,
    values: [...parameters(OFFSETS, moves), `{${ids.join(',')}}`],
  })
  return rowCount
}

/** Drops what live views had ten minutes to read. */
export async function forgetChanges(database: Tx): Promise<void> {
  await database.query({ text: `delete from console.change where at < now() - interval '10 minutes'` })
}

/** The stored offset of a partition; `base` is stored where there is none yet. */
export async function loadOffset(database: Tx, topic: string, partition: number, base: number): Promise<number> {
  await database.query({
    text: 'insert into console.consumer_offset values ($1, $2, $3) on conflict do nothing',
    values: [topic, partition, base],
  })
  const { rows } = await database.query<{ next_offset: number }>({
    text: 'select next_offset from console.consumer_offset where topic = $1 and partition = $2',
    values: [topic, partition],
  })
  return Number(rows[0]?.next_offset ?? base)
}

/** Sets a stored offset whatever it was. For a log that began anew under its old name. */
export async function resetOffset(database: Tx, topic: string, partition: number, base: number): Promise<void> {
  await database.query({
    text: 'update console.consumer_offset set next_offset = $3 where topic = $1 and partition = $2',
    values: [topic, partition, base],
  })
}

interface MessageRow extends DeliveryProgress {
  readonly id: string
  readonly facts_from: 'status' | 'record'
}

/**
 * Loads and locks the messages that exist, by id; until the transaction ends nobody else changes them.
 * Their facts are not read: `facts` is null, which keeps the stored ones.
 * @param ids sorted
 */
export async function loadMessages(tx: Tx, ids: readonly string[]): Promise<Map<string, ProjectedMessage>> {
  const { rows } = await tx.query<MessageRow>({
    name: 'load-messages',
    text: `select id, facts_from, state, position, dispatch, charged, next_attempt_at::text, reason, failure_class,
                  reply_code, enhanced_code, error, possibly_delivered, provider_message_id, provider_position,
                  recipient_domain, updated_at::text
           from console.message where id = any($1::uuid[]) order by id for no key update`,
    values: [`{${ids.join(',')}}`],
  })
  const messages = new Map<string, ProjectedMessage>()
  for (const { id, facts_from, ...progress } of rows) {
    messages.set(id, {
      id,
      factsFrom: facts_from,
      facts: null,
      progress: { ...progress, state: stateOf(progress.state) },
    })
  }
  return messages
}

function stateOf(state: string): MessageState {
  return state as MessageState
}

/**
 * Inserts messages of which no row exists, in the order given.
 * A unique violation (23505) means that another projector inserted one meanwhile: load again and repeat.
 */
export async function insertMessages(tx: Tx, messages: readonly ProjectedMessage[]): Promise<void> {
  await tx.query({
    name: 'insert-messages',
    text: `insert into console.message (${names(INSERTED)}) select ${names(INSERTED)} from ${unnest(INSERTED)}`,
    values: parameters(INSERTED, messages),
  })
}

/** Writes the progress of messages that were loaded in this transaction. */
export async function updateProgress(tx: Tx, messages: readonly ProjectedMessage[]): Promise<void> {
  await tx.query({
    name: 'update-progress',
    text: `update console.message m set ${assignments(PROGRESS)} from ${unnest(UPDATED)} where m.id = d.id`,
    values: parameters(UPDATED, messages),
  })
}

/** Writes the facts of messages whose status came first. */
export async function writeFacts(tx: Tx, messages: readonly ProjectedMessage[]): Promise<void> {
  await tx.query({
    name: 'write-facts',
    text: `update console.message m set ${assignments(FACTS)} from ${unnest(RECOGNISED)} where m.id = d.id`,
    values: parameters(RECOGNISED, messages),
  })
}

/** Inserts tries; those that are known already stay as they are. */
export async function insertDispatches(tx: Tx, rows: readonly DispatchRow[]): Promise<void> {
  await tx.query({
    name: 'insert-dispatches',
    text: `insert into console.dispatch (${names(DISPATCHES)})
           select ${names(DISPATCHES)} from ${unnest(DISPATCHES)} on conflict do nothing`,
    values: parameters(DISPATCHES, rows),
  })
}

/** Removes accepted rows whose message is in the read model now. */
export async function deleteAccepted(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query({
    name: 'delete-accepted',
    text: 'delete from console.accepted where id = any($1::uuid[])',
    values: [`{${ids.join(',')}}`],
  })
}

const ID: Columns<ProjectedMessage>[number] = ['id', 'uuid', (message) => message.id]
const INSERTED: Columns<ProjectedMessage> = [ID, ...FACTS, ...PROGRESS]
const UPDATED: Columns<ProjectedMessage> = [ID, ...PROGRESS]
const RECOGNISED: Columns<ProjectedMessage> = [ID, ...FACTS]

function unnest<Row>(columns: Columns<Row>): string {
  const arrays = columns.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ')
  return `unnest(${arrays}) as d(${names(columns)})`
}

function names<Row>(columns: Columns<Row>): string {
  return columns.map(([name]) => name).join(', ')
}

function assignments<Row>(columns: Columns<Row>): string {
  return columns.map(([name]) => `${name} = d.${name}`).join(', ')
}

function parameters<Row>(columns: Columns<Row>, rows: readonly Row[]): string[] {
  return columns.map(([, , value]) => arrayLiteral(rows, value))
}
