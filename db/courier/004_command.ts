import type { Knex } from 'knex'

/** The one way back: what an operator asks of a message that is under way. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- op cancel | retry. event is the cancelled event as a courier would store it, {traceparent, createdBy, data}; what the ledger
    -- knows better is put in its place. outcome:
    --   done      cancelled: the terminal row and its event are written; retry: due now, also where the outcome was unknown
    --   too_late  a courier has it in its hands
    --   finished  nothing is left to do; state says how it ended
    --   unknown   no courier has touched it (retry only: cancel leaves a terminal row, which the courier finds that reads it later)
    create function courier.command(id uuid, op text, event jsonb default null, out outcome text, out state text) language plpgsql as $$
    #variable_conflict use_variable
    declare
      l    courier.ledger;
      data jsonb := event -> 'data';
      told jsonb;
    begin
      if op not in ('cancel', 'retry') or op is null then
        raise exception 'op: expected cancel or retry' using errcode = '22023';
      end if;
      if op = 'cancel' then
        if data is null then
          raise exception 'event: expected the event of the cancellation' using errcode = '22023';
        end if;
        insert into courier.ledger (message_id, project_id, channel, lane, state, dispatch, handed_over, expires_at)
        values (id, (data ->> 'project_id')::uuid, data ->> 'channel', case data ->> 'lane' when 'urgent' then 0 else 1 end, 2,
          (data ->> 'dispatch')::integer, true, (data ->> 'expires_at')::timestamptz)
        on conflict (message_id) do nothing;
      end if;

      select r.* into l from courier.ledger r where r.message_id = id for update;
      if not found then
        outcome := 'unknown';
      elsif l.state = 4 then
        outcome := 'finished';
        state := l.event::jsonb #>> '{data,status}';
      -- A claim whose time is over, or whose courier is gone, is nobody's: it can be cancelled, and a copy may have been sent.
      elsif l.state = 1 and (op = 'retry' or l.lease_until >= now() and not courier.is_dead(l.owner)) then
        outcome := 'too_late';
        state := 'processing';
      elsif op = 'retry' and l.expires_at <= now() then
        outcome := 'finished';
        state := 'expired';
      elsif op = 'retry' then
        outcome := 'done';
        -- Couriers that stopped while they held it must not hold it back again; that a copy may have been sent stays known.
        update courier.ledger r
        set state = 2, due_at = least(r.due_at, now()), unknowns = greatest(r.unknowns, sign(r.reclaims)::smallint), reclaims = 0,
            updated_at = now()
        where r.message_id = id;
      else
        outcome := 'done';
        state := 'cancelled';
        told := jsonb_build_object(
          'traceparent', event -> 'traceparent',
          'createdBy', coalesce(nullif(split_part(l.payload, E'\\n', 1), ''), l.event::jsonb ->> 'createdBy', event ->> 'createdBy'),
          'data', data || jsonb_build_object(
            'dispatch', l.dispatch,
            'attempt', l.charged,
            'max_attempts', coalesce(l.event::jsonb #> '{data,max_attempts}', data -> 'max_attempts'),
            'possibly_delivered', l.unknowns > 0 or l.reclaims > 0 or l.state = 1));
        with cancelled as (
          update courier.ledger r
          set state = 4, due_at = null, payload = null, event = told::text, handed_over = true, owner = null, lease_until = null,
              updated_at = now()
          where r.message_id = id
          returning r.message_id, r.event
        )
        -- As old as one that its courier left behind: the next sweep of any courier publishes it.
        insert into courier.event_outbox (message_id, event, created_at)
        select c.message_id, c.event, clock_timestamp() - interval '1 minute' from cancelled c;
      end if;
    end $$;
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function courier.command(uuid, text, jsonb)')
}
