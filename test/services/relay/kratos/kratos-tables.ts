/** The tables of a real Kratos that its courier uses, laid out as its migrations leave them, and rows as it writes them. */
import { randomUUID } from 'node:crypto'
import type { Database } from '#libs/database'
import { sampleData } from '#libs/templates'

const TABLES = `
  create table networks (id uuid primary key, created_at timestamp not null, updated_at timestamp not null);
  create table courier_messages (
    id uuid primary key,
    type int not null,
    status int not null,
    body text not null,
    subject varchar(255) not null,
    recipient varchar(255) not null,
    created_at timestamp not null,
    updated_at timestamp not null,
    template_type varchar(255) not null default '',
    template_data bytea,
    nid uuid references networks (id) on update restrict on delete cascade,
    send_count int not null default 0,
    channel varchar(32),
    request_headers jsonb
  );
  create index courier_messages_nid_status_created_at_id_idx on courier_messages (nid, status, created_at desc);
  create index courier_messages_nid_recipient_created_at_id_idx on courier_messages (nid, recipient, created_at desc);
  create index courier_messages_status_id_idx on courier_messages (status, id);
  create index courier_messages_nid_id_created_at_idx on courier_messages (nid, id, created_at desc);
  create index courier_messages_nid_created_at_id_idx on courier_messages (nid, created_at desc, id);
  create index courier_messages_status_created_at_idx on courier_messages (status, created_at);
  create table courier_message_dispatches (
    id uuid primary key,
    message_id uuid not null references courier_messages (id) on delete cascade,
    status varchar(7) not null,
    error json,
    nid uuid not null references networks (id) on delete cascade,
    created_at timestamp not null default current_timestamp,
    updated_at timestamp not null default current_timestamp
  );
  create index courier_message_dispatches_message_id_idx on courier_message_dispatches (message_id, created_at desc);
  create index courier_message_dispatches_nid_idx on courier_message_dispatches (nid);`

export interface KratosMessage {
  readonly recipient: string
  readonly templateType: string
  readonly data: unknown
  readonly type: 'email' | 'sms'
  readonly channel: string | null
  readonly subject: string
  readonly body: string
  readonly requestHeaders: unknown
  readonly createdAt: Date
  readonly status: number
}

export interface StoredMessage {
  readonly id: string
  readonly recipient: string
  readonly template_type: string
  readonly status: number
  readonly send_count: number
  /** Changes with every update of the row. */
  readonly version: string
  readonly is_touched: boolean
  readonly dispatches: readonly {
    readonly id: string
    readonly status: string
    readonly version: string
    // biome-ignore lint/suspicious/noExplicitAny: tests read it as Kratos' API shows it
    readonly error: any
  }[]
}

export interface Kratos {
  readonly nid: string
  /** As Kratos' own AddMessage. @returns the ids, in order */
  readonly add: (messages: readonly Partial<KratosMessage>[]) => Promise<string[]>
  /** Every message with its dispatches, oldest first. */
  readonly messages: () => Promise<StoredMessage[]>
  readonly setStatus: (id: string, status: number) => Promise<void>
}

export async function openKratos(database: Database): Promise<Kratos> {
  const nid = randomUUID()
  await database.query({ text: TABLES })
  await database.query({ text: 'insert into networks values ($1, now(), now())', values: [nid] })

  return {
    nid,
    add: async (messages) => {
      const rows = messages.map((message, index) => rowOf(message, index))
      await database.query({
        text: `insert into courier_messages (id, nid, type, status, recipient, body, subject, template_type, template_data,
                 channel, request_headers, created_at, updated_at)
               select id, $1, type, status, recipient, body, subject, template_type, convert_to(data, 'UTF8'), channel,
                      headers::jsonb, at at time zone 'UTC', at at time zone 'UTC'
               from unnest($2::uuid[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                 $10::text[], $11::text[], $12::timestamptz[])
                 as r (id, type, status, recipient, body, subject, template_type, data, channel, headers, at)`,
        values: [nid, ...columnsOf(rows)],
      })
      return rows.map(({ id }) => id)
    },
    messages: async () => {
      const { rows } = await database.query<StoredMessage>({
        text: `select m.id, recipient, template_type, m.status, send_count, m.xmin::text as version,
                      m.updated_at <> m.created_at as is_touched, coalesce(d.dispatches, '[]') as dispatches
               from courier_messages m left join lateral (
                 select json_agg(json_build_object('id', id, 'status', d.status, 'error', error, 'version', d.xmin::text)
                                 order by created_at) as dispatches
                 from courier_message_dispatches d where d.message_id = m.id) d on true
               order by m.created_at, m.id`,
      })
      return rows
    },
    setStatus: async (id, status) => {
      await database.query({ text: 'update courier_messages set status = $2 where id = $1', values: [id, status] })
    },
  }
}

/** A row for every type and channel that Kratos has, with the marks that its versions leave. */
export function everyKind(): Partial<KratosMessage>[] {
  const emails = [
    'recovery_invalid',
    'recovery_valid',
    'recovery_code_invalid',
    'recovery_code_valid',
    'verification_invalid',
    'verification_valid',
    'verification_code_invalid',
    'verification_code_valid',
    'login_code_valid',
    'registration_code_valid',
    'verifiable_address_changed',
    'authenticator_key_added',
    'stub',
  ]
  return emails.map((templateType, index) => ({
    templateType,
    data: { to: 'ada@example.org', ...sampleData(templateType, 'email') },
    channel: [null, '', 'email'][index % 3] ?? null,
    requestHeaders: [undefined, null, {}, { 'User-Agent': ['curl/8'] }][index % 4],
    subject: 'x'.repeat(index === 0 ? 255 : 20),
  }))
}

interface Row {
  readonly id: string
  readonly values: readonly unknown[]
}

function rowOf(message: Partial<KratosMessage>, index: number): Row {
  const id = randomUUID()
  const type = message.type ?? 'email'
  const given = message.data ?? { subject: 'Hello', body: 'It works.' }
  const data = typeof given === 'string' ? given : JSON.stringify(given)
  const { requestHeaders } = message
  return {
    id,
    values: [
      id,
      type === 'email' ? 1 : 2,
      message.status ?? 1,
      message.recipient ?? `user-${index}@example.org`,
      message.body ?? 'It works.',
      message.subject ?? (type === 'email' ? 'Hello' : ''),
      message.templateType ?? 'stub',
      data,
      message.channel === undefined ? type : message.channel,
      requestHeaders === undefined ? null : JSON.stringify(requestHeaders),
      message.createdAt ?? new Date(),
    ],
  }
}

function columnsOf(rows: readonly Row[]): unknown[][] {
  return rows[0]!.values.map((_, column) => rows.map(({ values }) => values[column]))
}
