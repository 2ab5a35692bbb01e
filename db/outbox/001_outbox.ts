import type { Knex } from 'knex'

/**
 * The outbox: messages that committed and are not in Kafka yet, the leases of the relays that read it, and a SQL contract for
 * services that are not ours. Rows are few and short-lived, so autovacuum follows counts instead of shares.
 */
export async function up(knex: Knex): Promise<void> {
  for (const part of [MESSAGES, NEW_IDS, RELAYS, IDEMPOTENCY, CHECK_MESSAGE, ENQUEUE]) await knex.raw(part)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop function outbox.enqueue, outbox.check_message, outbox.claim_key;
    drop table outbox.message, outbox.dead, outbox.relay_shard, outbox.relay_member, outbox.idempotency;
    drop function outbox.new_ids, outbox.id_floor, outbox.refuse_id;
  `)
}

const MESSAGES = `
  create schema if not exists outbox;

  -- xid stands before seq, so that a row's transaction has its number before the row draws its place.
  create table outbox.message (
    shard         smallint    not null generated always as (case
                    when key is null then hashtextextended(project_id::text || coalesce(plain ->> 'recipient', ''), 0) & 63
                    else get_byte(decode(right(key, 2), 'hex'), 0) & 63 end) stored,
    xid           xid8        not null default pg_current_xact_id(),
    seq           bigint      not null generated always as identity (cache 1), -- a larger cache breaks the order across sessions
    id            uuid        not null,
    project_id    uuid        not null,
    channel       text        not null,
    template_type text        not null,
    lane          text        not null check (lane in ('urgent', 'notice')),
    expires_at    timestamptz not null,
    key           text        check (key ~ '^[0-9a-f]{8}[.][0-9a-f]{32}$'),
    value         text,                            -- the record as it is published
    plain         jsonb,                           -- recipient, template_data, locale in clear, until the relay seals them
    traceparent   text,
    tracestate    text,
    created_at    timestamptz not null default clock_timestamp(),
    primary key (shard, seq),
    check ((value is null) <> (plain is null)),
    check ((value is null) = (key is null))
  ) with (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000,
    toast_tuple_target = 8160                      -- a usual mail stays in its row: no second table to write and vacuum
  );
  -- Sealed content does not compress: trying would only cost time.
  alter table outbox.message alter column value set storage external;

  -- Rows that no broker or nobody at all can take. Kept until an operator deletes them; always sealed.
  create table outbox.dead (
    id            uuid        primary key,
    shard         smallint    not null,
    project_id    uuid        not null,
    channel       text        not null,
    template_type text        not null,
    lane          text        not null,
    expires_at    timestamptz not null,
    key           text        not null,
    value         text        not null,
    traceparent   text        not null,
    tracestate    text,
    created_at    timestamptz not null,
    failed_at     timestamptz not null default now(),
    reason        text        not null,
    announced_at  timestamptz                      -- when the status topic knew
  );
  create index dead_unannounced on outbox.dead (shard) where announced_at is null;
`

const NEW_IDS = `
  -- UUIDv7 (RFC 9562, 6.2 method 3): ms, then the fraction of the ms in 12 bits, then 62 random bits; by the database's clock.
  create function outbox.new_ids(count integer) returns setof uuid language sql volatile as $$
    select (lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000 * 4096 / 1000), 3, '0')
             || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid
    from generate_series(1, count) i,
         lateral (select floor(extract(epoch from clock_timestamp()) * 1000000)::bigint + i * 0 as us) clock
  $$;

  -- The lowest UUIDv7 of an instant.
  create function outbox.id_floor(at timestamptz) returns uuid language sql immutable as
    $$ select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;

  create function outbox.refuse_id() returns trigger language plpgsql as $$
  begin
    raise exception 'id: expected a UUID of version 7 whose time lies within the last 24 h and the next 5 min'
      using errcode = '22023', hint = 'Take ids from outbox.new_ids; an id of another system is the source_id of the record.';
  end $$;

  -- The condition is checked without a function call. A constraint would refuse old rows when a dump is restored.
  create trigger check_id before insert on outbox.message for each row
    when (substr(new.id::text, 15, 1) <> '7'
      or new.id < outbox.id_floor(clock_timestamp() - interval '24 hours')
      or new.id > outbox.id_floor(clock_timestamp() + interval '5 minutes'))
    execute function outbox.refuse_id();
`

const RELAYS = `
  create table outbox.relay_shard (
    shard       smallint    primary key,
    owner       text,
    fence       bigint      not null default 0,    -- counts the owners
    lease_until timestamptz not null default '-infinity'
  ) with (fillfactor = 50);
  insert into outbox.relay_shard (shard) select generate_series(0, 63);

  create table outbox.relay_member (
    id      text        primary key,
    seen_at timestamptz not null default now()
  ) with (fillfactor = 50);
`

const IDEMPOTENCY = `
  create table outbox.idempotency (
    scope        text        not null,
    key_hash     bytea       not null,
    request_hash text        not null,
    ids          uuid[]      not null,
    created_at   timestamptz not null default now(),
    primary key (scope, key_hash)
  );
  create index idempotency_created on outbox.idempotency (created_at);

  -- Binds a key to these ids for 24 h; true when they are new to it. Waits while another transaction binds the same key.
  create function outbox.claim_key(scope text, key_hash bytea, request_hash text, ids uuid[]) returns boolean language sql as $$
    with claimed as (
      insert into outbox.idempotency as i (scope, key_hash, request_hash, ids)
      values (claim_key.scope, claim_key.key_hash, claim_key.request_hash, claim_key.ids)
      on conflict on constraint idempotency_pkey do update
        set request_hash = excluded.request_hash, ids = excluded.ids, created_at = now()
        where i.created_at < now() - interval '24 hours'
      returning 1)
    select exists (select from claimed)
  $$;
`

const CHECK_MESSAGE = `
  -- What is wrong with a message, as 'field: expected …' without the value; null when nothing is.
  create function outbox.check_message(recipient text, template_type text, template_data jsonb, channel text, lane text,
    expires_at timestamptz) returns text language sql stable as $$
    select case
      when channel is null or channel not in ('email', 'sms') then 'channel: expected email or sms'
      when recipient is null then 'recipient: expected a text'
      when channel = 'sms' and recipient !~ '^[+][1-9][0-9]{5,14}$'
        then 'recipient: expected a phone number in E.164 form, such as +4930901820'
      when channel = 'email' and (octet_length(recipient) > 320 or recipient !~ '^[^@[:space:][:cntrl:]<>()",;:\\\\[\\]]{1,64}@[^@[:space:][:cntrl:]<>()",;:\\\\]+$')
        then 'recipient: expected one mailbox such as ada@example.org'
      when template_type is null or template_type not in ('recovery_invalid', 'recovery_valid', 'recovery_code_invalid',
        'recovery_code_valid', 'verification_invalid', 'verification_valid', 'verification_code_invalid',
        'verification_code_valid', 'login_code_valid', 'registration_code_valid', 'verifiable_address_changed',
        'authenticator_key_added', 'stub') then 'template_type: expected a built-in type such as login_code_valid, or stub'
      when template_data is null or jsonb_typeof(template_data) <> 'object' then 'template_data: expected a JSON object'
      -- Sealed and in base64 it grows by a third, and the record holds at most 900 KiB.
      when octet_length(template_data::text) > 680000
        then format('template_data: found %s bytes, allowed 680000', octet_length(template_data::text))
      when lane not in ('urgent', 'notice') then 'lane: expected urgent or notice'
      when expires_at <= now() then 'expires_at: expected an instant in the future'
      when expires_at > now() + interval '5 days' then 'expires_at: expected at most 5 days ahead'
    end
  $$;
`

const ENQUEUE = `
  -- Sends a message if and only if the caller's transaction commits. The row is in clear until the relay has sealed it.
  -- The same idempotency_key with the same arguments gives the same id for 24 h, and no second message.
  create function outbox.enqueue(recipient text, template_type text, template_data jsonb, project text default 'default',
    channel text default 'email', lane text default null, locale text default null, idempotency_key text default null,
    expires_at timestamptz default null, traceparent text default null) returns uuid language plpgsql as $$
  #variable_conflict use_variable
  declare
    problem    text := outbox.check_message(recipient, template_type, template_data, channel, lane, expires_at);
    found_id   uuid := (select p.id from config.project p where p.slug = project or p.id::text = project);
    new_id     uuid := (select id from outbox.new_ids(1) id);
    hashed_key bytea;
    request    text;
    bound      record;
  begin
    if problem is null and found_id is null then
      problem := 'project: expected the slug or id of a project';
    end if;
    if problem is not null then
      raise exception '%', problem using errcode = '22023';
    end if;

    if idempotency_key is not null then
      hashed_key := sha256(convert_to(idempotency_key, 'UTF8'));
      request := encode(sha256(convert_to(jsonb_build_array(recipient, template_type, template_data, channel, lane, locale,
        expires_at)::text, 'UTF8')), 'hex');
      if not outbox.claim_key('outbox.enqueue ' || found_id, hashed_key, request, array[new_id]) then
        select i.request_hash, i.ids[1] as id into strict bound from outbox.idempotency i
          where i.scope = 'outbox.enqueue ' || found_id and i.key_hash = hashed_key;
        if bound.request_hash <> request then
          raise exception 'idempotency_key: used before with other arguments' using errcode = '23505';
        end if;
        return bound.id;
      end if;
    end if;

    insert into outbox.message (id, project_id, channel, template_type, lane, expires_at, plain, traceparent)
    values (new_id, found_id, channel, template_type,
      coalesce(lane, case when right(template_type, 6) = '_valid' then 'urgent' else 'notice' end),
      coalesce(expires_at, now() + interval '24 hours'),
      jsonb_build_object('recipient', recipient, 'template_data', template_data)
        || case when locale is null then '{}' else jsonb_build_object('locale', locale) end,
      -- A trace must not cost a mail: what is no context is left out.
      case when traceparent ~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' then traceparent end);
    return new_id;
  end $$;
`
