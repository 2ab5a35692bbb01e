import type { Knex } from 'knex'

/** Keys of the admin API, and the browsers that signed in with one. Only hashes: neither table lets anybody in. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table config.api_key (
      id           text        primary key check (id ~ '^[0-9a-f]{12}$'),
      name         text        not null check (name <> ''),
      role         text        not null check (role in ('viewer', 'sender', 'operator', 'admin')),
      project_id   uuid        references config.project on delete cascade,  -- null: every project
      hash         bytea       not null check (octet_length(hash) = 32),     -- SHA-256 of the secret
      created_at   timestamptz not null default now(),
      last_used_at timestamptz,                                              -- to the minute
      expires_at   timestamptz,
      revoked_at   timestamptz
    );

    create table config.sign_in (
      hash       bytea       primary key,  -- SHA-256 of the cookie
      key_id     text        not null,     -- of config.api_key, or that of the configured key
      key_hash   bytea       not null,     -- another configured key ends what the old one opened
      expires_at timestamptz not null
    );
    create index sign_in_expires on config.sign_in (expires_at);
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table config.sign_in; drop table config.api_key')
}
