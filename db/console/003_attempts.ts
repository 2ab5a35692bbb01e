import type { Knex } from 'knex'

/** What happened in a try. Tries of before have none of it, and stay readable. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table console.dispatch
      add column durations       json,         -- ms by phase, as the status event has them
      add column command         text,         -- the command that was answered
      add column worker          text,         -- the courier that tried
      add column next_attempt_at timestamptz;  -- of a try that is followed by another
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table console.dispatch
      drop column durations, drop column command, drop column worker, drop column next_attempt_at`)
}
