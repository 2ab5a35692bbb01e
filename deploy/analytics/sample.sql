-- Makes the table `events`: about `count` events of the 24 hours before `at`, the same ones every time. In the last hour one provider
-- puts off what goes to one domain. Some events come twice, some come late.
create or replace macro dice(n, salt) as (hash(n, salt) % 1000003) / 1000003.0;
create or replace macro hex_id(text, version) as
  (text[1:8] || '-' || text[9:12] || '-' || version || text[14:16] || '-a' || text[18:20] || '-' || text[21:32])::uuid;
create or replace macro trouble(n, provider, domain, t) as
  if(provider = 'smtp.north.example' and domain = 'mail.example' and t > getvariable('at') - interval '1 hour', 0.85, 0.03);

create or replace temp table message as
select n,
  hex_id(lpad(to_hex(epoch_ms(queued_at)), 12, '0') || md5('message' || n)[13:32], '7') as message_id,
  queued_at,
  case when dice(n, 'template') < 0.45 then 'login_code_valid' when dice(n, 'template') < 0.75 then 'verification_code_valid'
    when dice(n, 'template') < 0.95 then 'recovery_code_valid' else 'verification_code_invalid' end as template_type,
  case when dice(n, 'domain') < 0.4 then 'mail.example' when dice(n, 'domain') < 0.65 then 'post.example'
    when dice(n, 'domain') < 0.8 then 'firma.example' else 'd' || (hash(n, 'small') % 500) || '.example' end as domain,
  if(dice(n, 'provider') < 0.7, 'smtp.north.example', 'smtp.south.example') as provider
from (
  select n, getvariable('at') - to_milliseconds((86400000 * dice(n, 'queued'))::bigint) as queued_at
  from range((getvariable('count') * 0.6258)::bigint) r(n)
);

-- What a try brings is a throw of the dice. `doubtful`: a copy of an earlier try may have arrived.
create or replace macro tried(messages, k) as table
with timed as (
  select *, k as dispatch, (10 + 400 * dice(n, 'send' || k) * dice(n, 'slow' || k))::integer as send_ms,
    queued_at + to_milliseconds([40, 30040, 330040][k] + (300 * dice(n, 'wait' || k))::bigint) as started_at
  from query_table(messages)
)
select *, started_at + to_milliseconds(send_ms) as occurred_at,
  case
    when dice(n, 'bad' || k) < 0.004 then 'permanent_recipient'
    when dice(n, 'lost' || k) < 0.0005 then 'ambiguous'
    when dice(n, 'late' || k) < trouble(n, provider, domain, started_at) then
      if(provider = 'smtp.north.example', 'greylisted', 'throttled')
  end as failure_class
from timed;

create or replace macro deferred(tries) as table
select n, message_id, queued_at, template_type, domain, provider, doubtful or failure_class = 'ambiguous' as doubtful
from query_table(tries) where failure_class <> 'permanent_recipient';

-- Up to three tries: the second after 30 s, the third 5 min later.
create or replace temp table first_try as select *, false as doubtful from tried('message', 1);
create or replace temp table second_message as from deferred('first_try');
create or replace temp table second_try as from tried('second_message', 2);
create or replace temp table third_message as from deferred('second_try');

create or replace temp table fact as
with tries as (
  from first_try union all by name from second_try union all by name from tried('third_message', 3)
),
told as (
  select *, case when failure_class is null then 'sent' when failure_class = 'permanent_recipient' or dispatch = 3 then 'abandoned'
    else 'deferred' end as status
  from tries
)
from told where occurred_at <= getvariable('at')
union all by name
-- What the provider tells afterwards of some that were sent.
select * replace (occurred_at + to_milliseconds(2000 + (30000 * dice(n, 'told'))::bigint) as occurred_at,
  if(dice(n, 'bounce') < 0.01, 'bounced', 'delivered') as status)
from told
where status = 'sent' and dice(n, 'tells') < 0.55
  and occurred_at <= getvariable('at') - to_milliseconds(2000 + (30000 * dice(n, 'told'))::bigint);

create or replace table events as
select
  hex_id(md5(message_id || '.' || dispatch || '.' || status), '5') as event_id,
  occurred_at + to_milliseconds(if(dice(n, 'delay' || status) < 0.001, 120000 * dice(n, 'much'), 5 + 40 * dice(n, 'little'))::bigint
    + copy * 20000) as recorded_at,
  (n % 8)::integer as kafka_partition,
  1000 * (epoch_ms(recorded_at) - epoch_ms(getvariable('at') - interval '1 day')) + n % 1000 as kafka_offset,
  message_id,
  '00000000-0000-7000-8000-000000000001'::uuid as project_id,
  template_type,
  'email' as channel,
  status,
  case when status in ('sent', 'delivered') then 'none' when status = 'deferred' then 'temporary' else 'permanent' end as severity,
  status <> 'deferred' as terminal,
  dispatch::integer as dispatch,
  dispatch::integer as attempt,
  3 as max_attempts,
  occurred_at,
  queued_at,
  queued_at + interval '15 minutes' as expires_at,
  if(status = 'deferred', queued_at + to_milliseconds([30040, 330040][dispatch]), null) as next_attempt_at,
  if(status = 'abandoned', if(failure_class = 'permanent_recipient', 'permanent', 'exhausted'), null) as reason,
  if(status = 'bounced', 'permanent_recipient', failure_class) as failure_class,
  case status when 'deferred' then 'retry' when 'abandoned' then 'abandon' when 'sent' then 'sent' end as decision,
  true as attempted,
  status in ('deferred', 'abandoned') and (doubtful or failure_class is not distinct from 'ambiguous') as possibly_delivered,
  {
    'queue': epoch_ms(started_at)::bigint - epoch_ms(queued_at)::bigint - 20,
    'send': send_ms,
    'total': epoch_ms(occurred_at)::bigint - epoch_ms(queued_at)::bigint
  } as durations_ms,
  case
    when status = 'bounced' or failure_class = 'permanent_recipient' then {'code': 550, 'enhanced': '5.1.1', 'command': 'RCPT'}
    when failure_class = 'greylisted' then {'code': 451, 'enhanced': '4.7.1', 'command': 'RCPT'}
    when failure_class = 'throttled' then {'code': 421, 'enhanced': '4.7.0', 'command': 'CONNECT'}
    when failure_class is null then {'code': 250, 'enhanced': '2.0.0', 'command': 'DOT'}
  end as reply,
  case failure_class when 'permanent_recipient' then 'the mail server knows no such mailbox' when 'greylisted' then
    'the mail server asks to come again later' when 'throttled' then 'too many mails at once' when 'ambiguous' then
    'no answer after the final dot' end as error,
  provider,
  domain as recipient_domain,
  hex_id(md5('identity' || (n % 20000)), '4')::varchar as identity_id,
  if(template_type = 'verification_code_invalid', 'notice', 'urgent') as lane,
  md5('trace' || n) as trace_id,
  'courier-' || (1 + n % 3) as worker
from fact, range(if(dice(n, 'copy' || status) < 0.004, 2, 1)) c(copy);
