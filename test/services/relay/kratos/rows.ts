import { randomUUID } from 'node:crypto'
import type { QueuedRow } from '../../../../services/relay/kratos/reservation.ts'

/** A row as it waits, made a minute ago. */
export function queuedRow(
  more: Partial<Omit<QueuedRow, 'template_data'>> & { readonly data?: unknown } = {},
): QueuedRow {
  const { data = { subject: 'Hello', body: 'It works.' }, ...columns } = more
  const now = columns.now ?? new Date('2030-01-31T12:00:00Z')
  return {
    id: randomUUID(),
    nid: randomUUID(),
    type: 1,
    recipient: 'ada@example.org',
    subject: 'Stored subject',
    body: 'Stored text.',
    template_type: 'stub',
    template_data: Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)),
    channel: 'email',
    request_headers: null,
    send_count: 0,
    created_at: new Date(now.getTime() - 60_000),
    now,
    ...columns,
  }
}

export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
