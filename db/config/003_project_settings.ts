import type { Knex } from 'knex'

/** Renaming of projects, and what the operator's file and environment said last. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table config.project add column updated_at timestamptz not null default now();
    update config.project set updated_at = created_at;

    -- Couriers show the name as the sender's, beside the operator's address.
    create function config.announce_name() returns trigger language plpgsql as $$
    begin
      perform pg_notify('postrider_config', new.id::text);
      return null;
    end $$;
    create trigger announce_name after update of name on config.project for each row
      when (old.name is distinct from new.name) execute function config.announce_name();

    create table config.file_takeover (
      project_id  uuid        primary key references config.project on delete cascade,
      fingerprint text        not null,            -- keyed hash of the content: it holds credentials
      revision    integer     not null,            -- that it became
      taken_at    timestamptz not null default now()
    );
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table config.file_takeover;
    drop trigger announce_name on config.project;
    drop function config.announce_name;
    alter table config.project drop column updated_at;
  `)
}
