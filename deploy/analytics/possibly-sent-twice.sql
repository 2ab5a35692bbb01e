-- Which mails may have arrived twice? Sent although an earlier try had left without an answer, or sent by more than one try, or after
-- a try that nobody reported: its courier died while it had the message, before or after it sent.
with suspects as (
  select message_id, any_value(template_type) as template, any_value(recipient_domain) as domain, any_value(trace_id) as trace_id,
    count(distinct dispatch) filter (status = 'sent') as sent_tries,
    bool_or(possibly_delivered) as had_no_answer,
    min(occurred_at) filter (possibly_delivered) as doubtful_since,
    max(occurred_at) filter (status = 'sent') as last_sent_at,
    max(dispatch) as dispatches,
    -- Only where all of the message's life was read: what came before the first event is not missing.
    count(distinct dispatch) filter (dispatch > 0) < max(dispatch)
      and min(queued_at) > (select min(recorded_at) from events) as has_unreported
  from events
  -- What one try settled is not suspect: most messages, and left out before anything is counted.
  where message_id in (select message_id from events where dispatch > 1 or possibly_delivered)
  group by message_id
)
select message_id, template, domain,
  case
    when sent_tries > 1 then 'sent by several tries'
    when had_no_answer then 'sent after a try without an answer'
    else 'sent after a try that nobody reported'
  end as why,
  dispatches as tries, doubtful_since, last_sent_at, trace_id
from suspects
where last_sent_at > getvariable('at') - getvariable('window') and last_sent_at <= getvariable('at')
  and (sent_tries > 1 or had_no_answer or has_unreported)
order by last_sent_at desc, message_id
limit 20;
