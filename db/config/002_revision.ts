import type { Knex } from 'knex'

/** Configurations of projects as numbered revisions: the newest one holds, whoever made it. Sealed, since they name credentials. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table config.revision (
      project_id uuid        not null references config.project on delete cascade,
      number     integer     not null check (number > 0),
      sealed     text        not null,            -- the identity config as JSON, JWE
      author     text        not null,
      created_at timestamptz not null default now(),
      primary key (project_id, number)
    );

    create function config.announce_revision() returns trigger language plpgsql as $$
    begin
      perform pg_notify('postrider_config', new.project_id::text);
      return null;
    end $$;
    create trigger announce_revision after insert on config.revision for each row execute function config.announce_revision();
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table config.revision; drop function config.announce_revision')
}
