-- Which provider does best? Tries of the `window` before `at`; what providers report afterwards is no try.
select
  coalesce(provider, '(none)') as provider,
  count(*) as tries,
  round(100.0 * count(*) filter (status = 'sent') / count(*), 2) as sent_percent,
  round(100.0 * count(*) filter (status = 'deferred') / count(*), 2) as deferred_percent,
  count(*) filter (status = 'abandoned') as abandoned,
  count(*) filter (possibly_delivered) as no_answer,
  mode(failure_class order by failure_class) as most_common_failure,
  quantile_disc(durations_ms.send, 0.5) as send_p50_ms,
  quantile_disc(durations_ms.send, 0.99) as send_p99_ms
from facts
where attempted and status not in ('delivered', 'bounced', 'complained')
  and occurred_at > getvariable('at') - getvariable('window') and occurred_at <= getvariable('at')
group by all
order by tries desc, provider;
