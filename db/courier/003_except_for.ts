import type { Knex } from 'knex'

/** The operator's channel stands in the way of every project that has none of its own: the courier that reports says which have one. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Of the operator's channel: projects that do not depend on it.
    alter table courier.channel_report add column except_for uuid[] not null default '{}';

    -- Why messages of a project wait, as the courier that spoke last said within 15 s; null where nothing stands in their way.
    create or replace function courier.blocked_by(project uuid, channel_id text) returns json language sql stable as $$
      select json_build_object('class', r.class, 'reply_code', r.reply_code, 'enhanced_code', r.enhanced_code,
               'since', to_char(r.since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
               'next_probe_at', to_char(r.next_probe_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
               'message', r.message)
      from courier.channel_report r
      where r.channel = channel_id
        and (r.project_id = project or r.project_id is null and project <> all (r.except_for))
        and r.reported_at > clock_timestamp() - interval '15 s'
      order by r.project_id nulls last, r.reported_at desc
      limit 1
    $$;
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    create or replace function courier.blocked_by(project uuid, channel_id text) returns json language sql stable as $$
      select json_build_object('class', r.class, 'reply_code', r.reply_code, 'enhanced_code', r.enhanced_code,
               'since', to_char(r.since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
               'next_probe_at', to_char(r.next_probe_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
               'message', r.message)
      from courier.channel_report r
      where r.channel = channel_id
        and (r.project_id = project
             or r.project_id is null and not exists (select from config.revision v where v.project_id = project))
        and r.reported_at > clock_timestamp() - interval '15 s'
      order by r.project_id nulls last, r.reported_at desc
      limit 1
    $$;
    alter table courier.channel_report drop column except_for`)
}
