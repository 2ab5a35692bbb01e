import type { Knex } from 'knex'

/**
 * The lease ledger: one row per message that a courier has touched.
 * Partitioned by the time inside the UUIDv7, a week each, dropped whole; `ledger_default` takes what no week covers.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create schema if not exists courier;

    create table courier.ledger (
      message_id  uuid        not null,
      project_id  uuid        not null,
      channel     text        not null,
      lane        smallint    not null,            -- 0 urgent, 1 notice
      state       smallint    not null,            -- 1 sending, 2 waiting, 3 held, 4 done
      dispatch    integer     not null default 0,  -- every try: the fence, and the order of the projection
      charged     integer     not null default 0,  -- tries that count against the retry budget
      unknowns    smallint    not null default 0,  -- tries without an answer after the final dot
      reclaims    smallint    not null default 0,  -- tries whose courier died
      handed_over boolean     not null default false, -- the ledger owns the message; its Kafka offset is complete
      owner       text,
      lease_until timestamptz,
      due_at      timestamptz,                     -- null while the uncommitted Kafka offset owns the message
      expires_at  timestamptz not null,
      supersede_key text,                          -- recipient and type of what a newer one makes useless
      payload     text,                            -- record and trace context, while the ledger owns the message
      event       text,                            -- the last concluded status event, for publishing it again
      updated_at  timestamptz not null default now(),
      primary key (message_id)
    ) partition by range (message_id);

    create table courier.ledger_default partition of courier.ledger default with (fillfactor = 70);
    -- By channel first, so that the backlog of one is never walked over to find what is due for another.
    create index ledger_due on courier.ledger (project_id, channel, lane, due_at) where due_at is not null;
    create index ledger_newer on courier.ledger (supersede_key, message_id) where supersede_key is not null;
    create index ledger_expires on courier.ledger (expires_at) where due_at is not null;

    create table courier.event_outbox (
      id         bigint generated always as identity primary key,
      message_id uuid        not null,
      event      text        not null,
      created_at timestamptz not null default clock_timestamp()
    );

    create table courier.member (
      owner        text        primary key,
      heartbeat_at timestamptz not null default now()
    );

    create function courier.week_start(at timestamptz) returns timestamptz language sql immutable as
      $$ select to_timestamp(floor(extract(epoch from at) / 604800) * 604800) $$;

    -- The lowest UUIDv7 of an instant.
    create function courier.id_floor(at timestamptz) returns uuid language sql immutable as
      $$ select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;

    -- Creates the weeks from one behind to two ahead; drops those wholly older than $1. Concurrent calls wait for each other.
    create function courier.maintain_ledger(retention interval) returns void language plpgsql as $$
    declare
      week timestamptz;
      name text;
    begin
      perform pg_advisory_xact_lock(hashtext('courier.maintain_ledger'));
      for i in -1..2 loop
        week := courier.week_start(now()) + i * interval '7 days';
        name := 'ledger_' || to_char(week at time zone 'UTC', 'YYYYMMDD');
        if to_regclass('courier.' || name) is null then
          -- A row of that week in the default partition would forbid the new one.
          create temporary table moved on commit drop as
            select * from courier.ledger_default
            where message_id >= courier.id_floor(week) and message_id < courier.id_floor(week + interval '7 days');
          delete from courier.ledger_default d using moved where d.message_id = moved.message_id;
          execute format('create table courier.%I partition of courier.ledger for values from (%L) to (%L) with (fillfactor = 70)',
            name, courier.id_floor(week), courier.id_floor(week + interval '7 days'));
          insert into courier.ledger select * from moved;
          drop table moved;
        end if;
      end loop;
      for name in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'courier.ledger'::regclass and c.relname ~ '^ledger_[0-9]{8}$'
          and to_timestamp(substr(c.relname, 8), 'YYYYMMDD') + interval '7 days' < now() - retention
      loop
        execute format('drop table courier.%I', name);
      end loop;
      delete from courier.ledger_default where message_id < courier.id_floor(now() - retention);
    end $$;
    select courier.maintain_ledger('14 days');

    -- Whether the courier named so has stopped: no heartbeat for 15 s and its session is gone; never within 15 s of the server's start.
    create function courier.is_dead(member_name text) returns boolean language sql stable as $$
      select pg_postmaster_start_time() < clock_timestamp() - interval '15 s'
         and not exists (select from courier.member m where m.owner = member_name and m.heartbeat_at > clock_timestamp() - interval '15 s')
         and not exists (select from pg_stat_activity a where a.application_name = member_name)
    $$;
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop schema courier cascade')
}
