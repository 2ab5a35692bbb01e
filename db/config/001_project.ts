import type { Knex } from 'knex'

/** Projects (tenants). The first one exists everywhere, under the id and slug that #libs/messages names. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create schema if not exists config;

    create table config.project (
      id         uuid        primary key,
      slug       text        not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
      name       text        not null check (name <> ''),
      created_at timestamptz not null default now()
    );

    insert into config.project (id, slug, name) values ('00000000-0000-7000-8000-000000000001', 'default', 'Postrider');
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table config.project')
}
