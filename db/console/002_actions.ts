import type { Knex } from 'knex'

/** What operators look for, what they did, and what changed a moment ago. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Every index here is written once more at each change of a row, so there are few: a hash of what is asked for exactly, and
    -- domains, which are known from the first attempt on. Failures are found by message_unsent.
    create index message_trace on console.message using hash (trace_id);
    create index message_provider on console.message using hash (provider_message_id) where provider_message_id is not null;
    create index message_domain on console.message (recipient_domain, created_at desc) where recipient_domain is not null;

    -- Which messages changed, one row per transaction: what a live view reads on from. Kept for ten minutes. The transaction's
    -- number and a snapshot tell exactly what became visible since, in whatever order transactions commit.
    create table console.change (
      xid xid8        not null default pg_current_xact_id(),
      ids uuid[]      not null,
      at  timestamptz not null default clock_timestamp()
    );
    alter table console.change alter column ids set storage external;
    create index change_xid on console.change (xid);

    -- Sent anew by an operator. Not derived: a rebuild keeps it.
    create table console.resend (
      id          uuid primary key,
      resent_from uuid not null
    );

    -- Who did what. Never an address, a code or a credential.
    create table console.audit (
      id         bigint      generated always as identity primary key,
      at         timestamptz not null default clock_timestamp(),
      actor      text        not null,
      action     text        not null,
      message_id uuid,
      project_id uuid,
      details    jsonb       not null default '{}'
    );
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table console.audit, console.resend, console.change;
    drop index console.message_trace, console.message_provider, console.message_domain`)
}
