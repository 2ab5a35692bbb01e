import type { Knex } from 'knex'

/** The read model: what the console shows. All but `accepted` can be dropped and is then rebuilt from the topics. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create schema if not exists console;

    -- One row per message. A status may come before its message: facts_from says where the left half was learnt.
    create table console.message (
      id                  uuid        primary key,
      project_id          uuid        not null,
      channel             text        not null,
      template_type       text        not null,
      lane                text        not null,
      identity_id         text,
      locale              text,
      source_id           text,
      facts_from          text        not null,            -- record | status
      sealed              text,                            -- recipient and template data, JWE
      recipient_hash      text,                            -- for exact search
      trace_id            text,
      created_at          timestamptz not null,
      expires_at          timestamptz not null,

      state               text        not null,
      position            integer     not null default 0,  -- dispatch * 16 + rank of the state: only a higher one is applied
      dispatch            integer     not null default 0,  -- every try
      charged             integer     not null default 0,  -- tries that count against the retry budget
      next_attempt_at     timestamptz,
      reason              text,
      failure_class       text,
      reply_code          integer,
      enhanced_code       text,
      error               text,
      possibly_delivered  boolean     not null default false,
      provider_message_id text,
      provider_position   integer     not null default 0,  -- position of the event that named provider_message_id
      recipient_domain    text,
      updated_at          timestamptz not null
    );
    -- Sealed content does not compress: trying would only cost time.
    alter table console.message alter column sealed set storage external;
    create index message_newest on console.message (created_at desc, id);
    -- The few that are not simply sent: a filter by status never walks over the many.
    create index message_unsent on console.message (created_at desc, id) where state not in ('sent', 'delivered');
    create index message_recipient on console.message (recipient_hash);

    -- One row per try that reached out.
    create table console.dispatch (
      message_id    uuid        not null,
      dispatch      integer     not null,
      state         text        not null,
      id            uuid        not null,                  -- id of the status event
      attempt       integer     not null,
      failure_class text,
      reply_code    integer,
      enhanced_code text,
      error         text,
      decision      text,
      duration_ms   integer,
      provider      text,
      sealed        text,                                  -- subject, reply text, conversation: JWE
      created_at    timestamptz not null,
      primary key (message_id, dispatch, state)
    );
    alter table console.dispatch alter column sealed set storage external;

    -- Accepted over the console's API and not projected yet. Not derived: a rebuild keeps it.
    create table console.accepted (
      id             uuid        primary key,
      project_id     uuid        not null,
      channel        text        not null,
      template_type  text        not null,
      lane           text        not null,
      identity_id    text,
      locale         text,
      sealed         text        not null,
      recipient_hash text        not null,
      trace_id       text,
      created_at     timestamptz not null,
      expires_at     timestamptz not null
    );

    -- Offsets live beside what they brought about, in the same transaction.
    create table console.consumer_offset (
      topic       text    not null,
      partition   integer not null,
      next_offset bigint  not null,
      primary key (topic, partition)
    ) with (fillfactor = 50);
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table console.message, console.dispatch, console.accepted, console.consumer_offset')
}
