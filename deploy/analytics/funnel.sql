-- How far do mails come, by template and domain? queued -> attempted -> sent -> delivered or bounced.
-- Messages that were accepted in the `window` before `at`. Each is counted once, whatever happened to it in between.
-- open: deferred or held, so still to be decided. lost: ended without having been sent.
select
  template_type as template,
  coalesce(recipient_domain, '(unknown)') as domain,
  count(*) as queued,
  count(*) filter (attempted or sent) as attempted,
  count(*) filter (sent) as sent,
  count(*) filter (delivered) as delivered,
  count(*) filter (bounced) as bounced,
  count(*) filter (not sent and state in ('deferred', 'held')) as open,
  count(*) filter (not sent and state not in ('deferred', 'held')) as lost,
  round(100.0 * count(*) filter (sent) / count(*), 2) as sent_percent
from messages
where queued_at > getvariable('at') - getvariable('window') and queued_at <= getvariable('at')
group by all
order by queued desc, template, domain
limit 20;
