/** Messages in the read model as the projector leaves them. */
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import type { TestConsole } from './open-console.ts'

export interface Planted {
  readonly id: string
  readonly recipient: string
  readonly state: string
  readonly createdAt: string
  /** States of its tries, oldest first. */
  readonly dispatches?: readonly string[]
}

export async function plantMessage(console: TestConsole, message: Planted): Promise<void> {
  const { id, recipient, state, createdAt, dispatches = [] } = message
  const content = { recipient, template_data: { subject: 'Planted subject', body: 'Planted body' } }
  await console.database.query({
    text: `insert into console.message (id, project_id, channel, template_type, lane, facts_from, sealed, recipient_hash,
             created_at, expires_at, updated_at, state, dispatch)
           values ($1, $2, 'email', 'stub', 'urgent', 'record', $3, $4, $5, $5::timestamptz + interval '1 day', $5, $6, $7)`,
    values: [
      id,
      DEFAULT_PROJECT_ID,
      console.sealer.seal(DEFAULT_PROJECT_ID, id, content),
      console.sealer.hmac(DEFAULT_PROJECT_ID, recipient),
      createdAt,
      state,
      dispatches.length,
    ],
  })
  for (const [i, outcome] of dispatches.entries())
    await console.database.query({
      text: `insert into console.dispatch (message_id, dispatch, state, id, attempt, failure_class, reply_code, error, created_at)
             values ($1, $2::integer, $3, gen_random_uuid(), $2, case when $3 <> 'sent' then 'network' end,
                     case when $3 <> 'sent' then 451 end, case when $3 <> 'sent' then 'try later' end,
                     $4::timestamptz + $2 * interval '1 second')`,
      values: [id, i + 1, outcome, createdAt],
    })
}

/** The id of the n-th message; a higher one is greater. */
export function plantedId(n: number): string {
  return `019a1f2e-7c3b-7d11-8a52-${n.toString(16).padStart(12, '0')}`
}
