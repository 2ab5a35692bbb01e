-- How long from accepted to sent, by template? Milliseconds, exact: no estimate and no buckets. By the first time that it was sent.
select template_type as template, count(*) as sent,
  quantile_disc(time_to_sent_ms, 0.5) as p50_ms,
  quantile_disc(time_to_sent_ms, 0.95) as p95_ms,
  quantile_disc(time_to_sent_ms, 0.99) as p99_ms,
  max(time_to_sent_ms) as max_ms
from messages
where sent_at > getvariable('at') - getvariable('window') and sent_at <= getvariable('at')
group by all
order by p99_ms desc, template;
