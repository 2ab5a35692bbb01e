-- Why did sent drop in the last hour? Compares the `period` (1 hour) that ends at `at` with the one that ended `before` (1 hour)
-- earlier, and lists what changed most: fewer asked for, fewer sent (of which template, by which provider, …), more that failed.
-- Counts messages, not events: a mail that was tried three times in the hour is one in each of its lines.
-- share: how much of the drop the line explains, in percent. Lines overlap, so that shares do not add up to 100.
with lines as (
  select message_id, period_of(queued_at) as period, 'asked for' as what, 'all' as dimension, '' as value
  from events
  where period_of(queued_at) is not null
  union all
  select message_id, period_of(occurred_at), 'sent', dimension, value
  from events, lateral (values
    ('all', ''), ('template', template_type), ('provider', provider), ('domain', recipient_domain), ('lane', lane),
    ('project', project_id::varchar)) d(dimension, value)
  where status = 'sent' and period_of(occurred_at) is not null
  union all
  select message_id, period_of(occurred_at), 'not sent', dimension, value
  from events, lateral (values
    ('all', ''), ('state', status), ('class', failure_class), ('reply', reply_text(reply)), ('provider', provider),
    ('domain', recipient_domain)) d(dimension, value)
  where status not in ('sent', 'delivered', 'bounced', 'complained') and period_of(occurred_at) is not null
),
counted as (
  select what, dimension, coalesce(value, '(none)') as value,
    count(distinct message_id) filter (period = 'before') as before,
    count(distinct message_id) filter (period = 'now') as now
  from lines
  group by all
),
total as (
  select greatest(max(before - now), 0) as missing from counted where what = 'sent' and dimension = 'all'
)
select what, dimension, value, before, now, now - before as change,
  round(100.0 * if(what = 'not sent', now - before, before - now) / nullif(missing, 0), 1) as share
from counted, total
where now <> before or dimension = 'all'
-- Where all that was sent has one value, that value explains nothing.
qualify what <> 'sent' or dimension = 'all' or count(*) over (partition by what, dimension) > 1
order by dimension <> 'all', abs(change) desc, what, dimension, value
limit 25;
