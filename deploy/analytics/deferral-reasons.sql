-- Why are mails deferred, hour by hour? Tries that were put off, and the messages behind them.
select time_bucket(interval '1 hour', occurred_at) as hour, failure_class as class, reply_text(reply) as reply,
  count(*) as tries, count(distinct message_id) as messages
from facts
where status = 'deferred' and occurred_at > getvariable('at') - getvariable('window') and occurred_at <= getvariable('at')
group by all
order by hour desc, tries desc, class, reply
limit 20;
