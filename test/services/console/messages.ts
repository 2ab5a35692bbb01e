/** Rows of the read model as a projector writes them, for tests of the console. */
import { randomBytes } from 'node:crypto'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import type { TestConsole } from './open-console.ts'

export interface GivenMessage {
  readonly recipient?: string
  readonly project_id?: string
  readonly template_type?: string
  readonly template_data?: Record<string, unknown>
  readonly [column: string]: unknown
}

let counter = 0
/** Ascending, of the time now. */
export function newId(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${(++counter).toString(16).padStart(12, '0')}`
}

/** Writes a message; what is not given is that of a mail that was sent. @returns its id */
export async function project({ database, sealer }: TestConsole, given: GivenMessage = {}): Promise<string> {
  const { recipient = 'ada@example.org', template_data = { subject: 's', body: 'b' }, ...columns } = given
  const id = newId()
  const projectId = given.project_id ?? DEFAULT_PROJECT_ID
  const row = {
    id,
    project_id: projectId,
    channel: 'email',
    template_type: 'stub',
    lane: 'notice',
    facts_from: 'record',
    sealed: sealer.seal(projectId, id, { recipient, template_data }),
    recipient_hash: sealer.hmac(projectId, recipient),
    trace_id: randomBytes(16).toString('hex'),
    created_at: new Date(),
    expires_at: new Date(Date.now() + 86_400_000),
    state: 'sent',
    dispatch: 1,
    charged: 1,
    updated_at: new Date(),
    ...columns,
  }
  const names = Object.keys(row)
  await database.query({
    text: `with noted as (insert into console.change (ids) values (array[$1::uuid]))
           insert into console.message (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
    values: Object.values(row),
  })
  return id
}
