import type { Knex } from 'knex'

/**
 * Identities, their addresses and sessions, and the flows that lead to them.
 * Codes and session tokens are kept as keyed or plain hashes only; of addresses, throttling keeps a keyed hash.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create schema if not exists identity;

    create table identity.identity (
      id               uuid        primary key,
      schema_id        text        not null default 'default',
      state            text        not null default 'active' check (state in ('active', 'inactive')),
      traits           jsonb       not null,
      created_at       timestamptz not null default now(),
      updated_at       timestamptz not null default now(),
      state_changed_at timestamptz not null default now()
    );

    -- An address belongs to one identity; identifier is its case-folded form and decides that two are the same.
    create table identity.address (
      id          uuid        primary key,
      identity_id uuid        not null references identity.identity on delete cascade,
      identifier  text        not null unique,
      value       text        not null,
      verified_at timestamptz,
      created_at  timestamptz not null default now(),
      updated_at  timestamptz not null default now()
    );
    create index address_identity on identity.address (identity_id);

    -- identity_id refers to an identity without a foreign key: its check would lock a row for known addresses only, and take its time.
    create table identity.flow (
      id          uuid        primary key,
      kind        text        not null check (kind in ('registration', 'login')),
      code_hash   bytea       not null,
      identity_id uuid,
      traits      jsonb,                          -- what a registration asks for, until it is completed
      attempts    smallint    not null default 0,
      created_at  timestamptz not null default now(),
      expires_at  timestamptz not null,
      spent_at    timestamptz
    ) with (fillfactor = 80);
    create index flow_expires on identity.flow (expires_at);

    create table identity.session (
      id               uuid        primary key,
      token_hash       bytea       not null unique,
      identity_id      uuid        not null references identity.identity on delete cascade,
      issued_at        timestamptz not null default now(),
      authenticated_at timestamptz not null default now(),
      expires_at       timestamptz not null
    );
    create index session_identity on identity.session (identity_id);
    create index session_expires on identity.session (expires_at);

    -- The instants of the mails asked for per address, known or not. Unlogged: after a crash of the server the counts start again.
    create unlogged table identity.throttle (
      address_hash bytea         primary key,
      mailed_at    timestamptz[] not null,
      free_at      timestamptz   not null         -- from then on the row says nothing
    );
    create index throttle_free on identity.throttle (free_at);
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table identity.throttle, identity.session, identity.flow, identity.address, identity.identity')
}
