-- Can the numbers be trusted? Copies of facts, how late they came, and how many came after a later fact of the same message.
with placed as (
  select *, position_of(dispatch, status) < max(position_of(dispatch, status)) over (
      partition by message_id order by kafka_offset rows between unbounded preceding and 1 preceding) as is_disordered,
    epoch_ms(recorded_at) - epoch_ms(occurred_at) as late_ms
  from events
)
select count(*) as events, count(distinct event_id) as facts, count(*) - count(distinct event_id) as copies,
  count(distinct message_id) as messages, count(*) filter (is_disordered) as disordered,
  quantile_disc(late_ms, 0.5) as late_p50_ms, quantile_disc(late_ms, 0.99) as late_p99_ms, max(late_ms) as late_max_ms,
  min(occurred_at) as first_at, max(occurred_at) as last_at
from placed;
