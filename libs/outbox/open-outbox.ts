import type { Tx } from '#libs/database'
import { asMessageId, type MessageId, type Sealer } from '#libs/messages'
import { arrayLiteral } from './array-literal.ts'
import { bindKey, type Idempotency } from './idempotency.ts'
import { checkMessages, type NewMessage, type NewRow, rowOf } from './new-message.ts'
import type { OutboxTx } from './outbox-tx.ts'
import { openWake } from './wake.ts'

export interface Enqueued {
  /** In the order of the messages. */
  readonly ids: MessageId[]
  /** Whether the idempotency key was used before, so that nothing was written now. */
  readonly replayed: boolean
}

export interface Outbox {
  /**
   * Writes the messages as part of `tx`: sent if and only if it commits. Call it last in the transaction, so that the rows are visible
   * soon after they drew their places. Checks everything before it writes anything.
   * @throws RECIPIENT_INVALID, EXPIRES_INVALID, MESSAGE_TOO_LARGE (each with `details.index`), IDEMPOTENCY_MISMATCH
   */
  readonly enqueue: (tx: OutboxTx, messages: readonly NewMessage[], idempotency?: Idempotency) => Promise<Enqueued>
  /** Tells relays to look now, after the commit and never in its transaction. At most one notification per 20 ms and process. */
  readonly wake: (database: Tx) => Promise<void>
}

const NEW_IDS = 'select id::text as id from outbox.new_ids($1::integer) id'
const INSERT = `
  insert into outbox.message
    (id, project_id, channel, template_type, lane, expires_at, key, value, traceparent, tracestate)
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[],
    $8::text[], $9::text[], $10::text[])`

export function openOutbox(sealer: Sealer): Outbox {
  return {
    enqueue: async (tx, messages, idempotency) => {
      if (messages.length === 0) return { ids: [], replayed: false }
      checkMessages(messages, Date.now())
      const ids = await newIds(tx, messages.length)
      const rows = messages.map((message, index) => rowOf(message, ids[index]!, index, sealer))
      const bound = idempotency && (await bindKey(tx, idempotency, ids, sealer))
      if (bound !== undefined) return { ids: bound, replayed: true }
      await insertRows(tx, rows)
      return { ids, replayed: false }
    },
    wake: openWake(),
  }
}

async function newIds(tx: OutboxTx, count: number): Promise<MessageId[]> {
  const { rows } = await tx.query(NEW_IDS, [count])
  return rows.map((row) => asMessageId((row as { id: string }).id))
}

async function insertRows(tx: OutboxTx, rows: readonly NewRow[]): Promise<void> {
  await tx.query(INSERT, [
    arrayLiteral(rows, ({ id }) => id),
    arrayLiteral(rows, ({ projectId }) => projectId),
    arrayLiteral(rows, ({ channel }) => channel),
    arrayLiteral(rows, ({ templateType }) => templateType),
    arrayLiteral(rows, ({ lane }) => lane),
    arrayLiteral(rows, ({ expiresAt }) => expiresAt),
    arrayLiteral(rows, ({ key }) => key),
    arrayLiteral(rows, ({ value }) => value),
    arrayLiteral(rows, ({ traceparent }) => traceparent),
    arrayLiteral(rows, ({ tracestate }) => tracestate),
  ])
}
