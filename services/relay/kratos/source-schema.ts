/** What the relay keeps in Kratos' database: a schema of its own that refers to nothing of Kratos', so that Kratos' migrations never meet it. */
import type { Database, Tx } from '#libs/database'
import { pgCode } from '#libs/database'
import { CodedError } from '#libs/errors'

const SCHEMA = `
  create schema if not exists postrider_kratos;
  create table if not exists postrider_kratos.source (
    single         boolean     primary key default true check (single),
    id             uuid        not null default gen_random_uuid(),
    draining_since timestamptz
  );
  insert into postrider_kratos.source default values on conflict do nothing;
  create table if not exists postrider_kratos.message (
    message_id    uuid        primary key,
    kratos_id     uuid        not null,
    nid           uuid        not null,
    generation    integer     not null,
    reserved_at   timestamptz not null,
    expires_at    timestamptz not null,
    traceparent   text        not null,
    base_count    integer     not null,            -- send_count when the message began
    written_count integer     not null,            -- send_count as the relay last saw or wrote it
    status        smallint    not null default 3,  -- in Kratos' numbers: what its row has to say
    position      integer     not null default 0,  -- of the last event that counted
    ended_at      timestamptz,                     -- null while the message is under way
    changed_by_others_at timestamptz,
    unique (kratos_id, generation)
  );
  create index if not exists message_under_way on postrider_kratos.message (reserved_at) where ended_at is null;
  create index if not exists message_ended on postrider_kratos.message (ended_at) where ended_at is not null;`

/** Any number, the same for every version: two relays that start at once wait for each other. */
const SETUP_LOCK = 7_301_982_442
const NEEDED = {
  courier_messages: [
    'id nid type status recipient subject body template_type template_data send_count created_at'.split(' '),
    ['channel', 'request_headers'],
  ],
  courier_message_dispatches: ['id message_id status error nid created_at updated_at'.split(' '), []],
} as const
const NO_RIGHT = '42501'

/** Columns that not every version of Kratos has. */
export interface KratosColumns {
  readonly channel: boolean
  readonly request_headers: boolean
}

/**
 * Creates what is missing; asks for no rights where nothing is.
 * @throws CONFIG_INVALID where it may not
 */
export async function prepareSource(database: Database): Promise<void> {
  if (await isPrepared(database)) return
  try {
    await database.transaction(async (tx) => {
      await tx.query({ text: 'select pg_advisory_xact_lock($1)', values: [SETUP_LOCK] })
      await tx.query({ text: SCHEMA })
    })
  } catch (error) {
    if (pgCode(error) !== NO_RIGHT) throw error
    const remedy = 'run "postrider relay --source kratos --prepare" once as an owner of the database'
    throw new CodedError('CONFIG_INVALID', `KRATOS_DSN: its user may not create schema postrider_kratos; ${remedy}`, {
      cause: error,
    })
  }
}

async function isPrepared(database: Tx): Promise<boolean> {
  const { rows } = await database.query<{ found: boolean }>({
    text: `select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                          where n.nspname = 'postrider_kratos' and c.relname = 'message_ended') as found`,
  })
  return rows[0]?.found === true
}

/** @throws CONFIG_INVALID where this is not the database of a Kratos that Postrider knows */
export async function checkKratosTables(database: Tx): Promise<KratosColumns> {
  for (const [table, [needed]] of Object.entries(NEEDED)) {
    const columns = await columnsOf(database, table)
    const missing = needed.filter((name) => !columns.has(name))
    if (missing.length === 0) continue
    const found = columns.size === 0 ? `no table ${table}` : `${table} without ${missing.join(', ')}`
    throw new CodedError(
      'CONFIG_INVALID',
      `KRATOS_DSN: found ${found}, needs the database of Ory Kratos 1.0 or later; run "kratos migrate sql" first`,
    )
  }
  const columns = await columnsOf(database, 'courier_messages')
  return { channel: columns.has('channel'), request_headers: columns.has('request_headers') }
}

async function columnsOf(database: Tx, table: string): Promise<Set<string>> {
  const { rows } = await database.query<{ name: string }>({
    text: `select attname as name from pg_attribute
           where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
    values: [table],
  })
  return new Set(rows.map(({ name }) => name))
}
