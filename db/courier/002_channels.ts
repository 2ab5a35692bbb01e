import type { Knex } from 'knex'

/** What couriers share about channels: how fast a server may be sent to, and what stands in the way of one. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table courier.rate (
      key         text             primary key,
      tokens      double precision not null,
      refilled_at timestamptz      not null,
      granted     integer          not null     -- by the last call
    ) with (fillfactor = 50);

    -- Takes up to wanted tokens from the bucket of that key, which holds at most burst and begins full; a negative number gives
    -- back. One clock reading per call, and time never runs backwards: no order of concurrent calls grants more than rate x time + burst.
    create function courier.take_tokens(rate_key text, rate_per_second double precision, burst double precision, wanted integer)
    returns integer language sql as $$
      insert into courier.rate as r (key, tokens, refilled_at, granted)
      values (rate_key, burst - least(greatest(wanted, 0), floor(burst)), clock_timestamp(), least(greatest(wanted, 0), floor(burst)))
      on conflict (key) do update set (tokens, refilled_at, granted) = (
        select least(burst, has.tokens - may.take), greatest(r.refilled_at, excluded.refilled_at), may.take
        from (select least(burst, r.tokens + rate_per_second
                * greatest(0, extract(epoch from excluded.refilled_at - r.refilled_at)::double precision)) as tokens) has,
             lateral (select least(wanted, greatest(0, floor(has.tokens)))::integer as take) may
      )
      returning granted
    $$;

    create table courier.channel_report (
      owner         text        not null references courier.member on delete cascade,
      project_id    uuid,                        -- null: the operator's, for every project without a channel of its own
      channel       text        not null,
      class         text        not null,
      reply_code    integer,
      enhanced_code text,
      message       text        not null,        -- names no recipient
      since         timestamptz not null,
      next_probe_at timestamptz not null,
      reported_at   timestamptz not null default clock_timestamp(),
      unique nulls not distinct (owner, project_id, channel)
    );
    create index channel_report_channel on courier.channel_report (project_id, channel);

    -- Why messages of a project wait, as the courier that spoke last said within 15 s; null where nothing stands in their way. The
    -- operator's channel counts only for projects without a configuration: for the others couriers say themselves what holds.
    create function courier.blocked_by(project uuid, channel_id text) returns json language sql stable as $$
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
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop function courier.blocked_by(uuid, text);
    drop table courier.channel_report;
    drop function courier.take_tokens(text, double precision, double precision, integer);
    drop table courier.rate`)
}
