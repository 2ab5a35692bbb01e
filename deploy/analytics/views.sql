-- What the queries stand on. `events` is what was read: every record, also the second copy of a fact.

-- Each fact once. Publishing is at least once; the same fact has the same id and says the same.
create or replace view facts as
from events
qualify row_number() over (partition by event_id) = 1;

-- Order of the facts of one message, whenever they come: by try, and within a try by state. That a mail went out outranks every
-- reason to give up on it; what the provider reports later refines that. A state of a later version stands before all of these.
create or replace macro position_of(dispatch, status) as
  dispatch * 16 + coalesce(list_position(
    ['deferred', 'held', 'expired', 'superseded', 'cancelled', 'suppressed', 'abandoned', 'sent', 'delivered', 'bounced', 'complained'],
    status), 0);

-- Each message once, in the state that its last fact gives it. Copies and disorder make no difference.
-- A message of which nothing was reported yet is not here: what waits for its first try is known to the console.
create or replace view messages as
select
  message_id,
  any_value(project_id) as project_id,
  any_value(template_type) as template_type,
  any_value(channel) as channel,
  any_value(lane) as lane,
  any_value(locale) as locale,
  any_value(identity_id) as identity_id,
  any_value(recipient_domain) as recipient_domain,
  any_value(trace_id) as trace_id,
  arg_max(provider, position_of(dispatch, status)) as provider,
  arg_max(status, position_of(dispatch, status)) as state,
  arg_max_null(failure_class, position_of(dispatch, status)) as failure_class,
  arg_max_null(reply, position_of(dispatch, status)) as reply,
  max(dispatch) as dispatches,
  bool_or(attempted) as attempted,
  bool_or(status in ('sent', 'delivered', 'bounced', 'complained')) as sent,
  bool_or(status = 'delivered') as delivered,
  bool_or(status = 'bounced') as bounced,
  bool_or(status = 'complained') as complained,
  bool_or(possibly_delivered) as possibly_delivered,
  any_value(queued_at) as queued_at,
  min(occurred_at) filter (status = 'sent') as sent_at,
  arg_min(durations_ms.total, occurred_at) filter (status = 'sent') as time_to_sent_ms,
  max(occurred_at) as changed_at
from events
group by message_id;

-- The peer's answer in one text: '451 4.7.1 to RCPT'.
create or replace macro reply_text(reply) as
  reply.code || coalesce(' ' || reply.enhanced, '') || ' to ' || reply.command;

-- 'now' for what lies in the `period` before `at`, 'before' for what lies in the one that ended `before` earlier, else null.
create or replace macro period_of(instant) as
  case
    when instant > getvariable('at') - getvariable('period') and instant <= getvariable('at') then 'now'
    when instant > getvariable('at') - getvariable('before') - getvariable('period')
      and instant <= getvariable('at') - getvariable('before') then 'before'
  end;
