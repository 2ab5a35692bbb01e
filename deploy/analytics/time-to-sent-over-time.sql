-- How long from accepted to sent, in every `bucket` (5 minutes) of the last `period`? Milliseconds, by the time of sending.
select time_bucket(getvariable('bucket'), sent_at) as since, count(*) as sent,
  quantile_disc(time_to_sent_ms, 0.5) as p50_ms,
  quantile_disc(time_to_sent_ms, 0.95) as p95_ms,
  quantile_disc(time_to_sent_ms, 0.99) as p99_ms
from messages
where sent_at > getvariable('at') - getvariable('period') and sent_at <= getvariable('at')
group by all
order by since;
