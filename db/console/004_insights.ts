import type { Knex } from 'knex'

/** What the overview asks of tries by their time. Both cost a try that went well next to nothing. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Only what went wrong: a try that went well writes nothing here.
    create index dispatch_failed on console.dispatch (created_at) where state <> 'sent';
    -- Rows come in the order of their time, so that one entry for many pages finds them.
    create index dispatch_time on console.dispatch using brin (created_at) with (pages_per_range = 32, autosummarize = on);
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index console.dispatch_failed, console.dispatch_time')
}
