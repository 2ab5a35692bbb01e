/** The statements of the lease ledger. Each takes a batch; whoever writes rows of several messages takes them in order of their ids. */

// `distinct on`: a record may come twice in one batch, and one statement cannot touch a row twice.
export const CLAIM = `
  insert into courier.ledger as l (message_id, project_id, channel, lane, state, dispatch, owner, lease_until, expires_at, supersede_key)
  select distinct on (i.id) i.id, i.project_id, i.channel, i.lane, 1, 1, $4, now() + $5::interval, i.expires_at, i.supersede_key
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $7::text[], $8::smallint[], $9::text[])
    as i (id, project_id, expires_at, channel, lane, supersede_key)
  order by i.id
  on conflict (message_id) do update
    set owner = excluded.owner, lease_until = excluded.lease_until, dispatch = l.dispatch + 1,
        reclaims = l.reclaims + (case when l.owner = excluded.owner and l.lease_until >= now() then 0 else 1 end), updated_at = now()
    where l.state = 1 and not l.handed_over
      and (l.lease_until < now() or (l.owner <> excluded.owner and courier.is_dead(l.owner))
           or (l.owner = excluded.owner and l.message_id = any($6::uuid[])))
  returning l.message_id as id, l.dispatch, l.charged, l.unknowns, l.reclaims`

export const LOOK_UP = `
  select message_id as id, state, dispatch, handed_over as "handedOver", event from courier.ledger where message_id = any($1::uuid[])`

export const HAND_OVER = `
  insert into courier.ledger as l (message_id, project_id, channel, lane, state, handed_over, due_at, expires_at, payload, supersede_key)
  select distinct on (i.id) i.id, i.project_id, i.channel, i.lane, 2, true, coalesce(i.due_at, now()), i.expires_at, i.payload, i.supersede_key
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::text[], $7::smallint[], $8::text[])
    as i (id, project_id, expires_at, payload, due_at, channel, lane, supersede_key)
  order by i.id
  on conflict (message_id) do update
    set handed_over = true,
        payload = coalesce(l.payload, excluded.payload),
        due_at = coalesce(l.due_at, l.lease_until, excluded.due_at)
    where l.state <> 4
  returning l.message_id as id`

/** The arm `due` holds what is to be taken; one that is being sent lost its courier. */
const TAKE_DUE = `update courier.ledger l
  set state = 1, owner = $2, lease_until = now() + $3::interval, due_at = now() + $3::interval, dispatch = l.dispatch + 1,
      reclaims = l.reclaims + (case when l.state = 1 then 1 else 0 end), updated_at = now()
  from due
  where l.message_id = due.message_id
  returning l.message_id as id, l.dispatch, l.charged, l.unknowns, l.reclaims, l.payload,
    l.supersede_key is not null and exists (
      select from courier.ledger n where n.supersede_key = l.supersede_key and n.message_id > l.message_id
    ) as superseded`

/** Every project, channel and lane with something due, by skipping from one to the next in the index: no backlog is walked over. */
export const PLACES = `
  with recursive place as (
    (select project_id, channel, lane from courier.ledger where due_at is not null order by project_id, channel, lane limit 1)
    union all
    select n.project_id, n.channel, n.lane from place p cross join lateral (
      select project_id, channel, lane from courier.ledger
      where due_at is not null and (project_id, channel, lane) > (p.project_id, p.channel, p.lane)
      order by project_id, channel, lane limit 1
    ) n
  )`

// The backlog of one channel is never read for another. The candidates are locked in an arm of their own: a limit under an update
// may otherwise be evaluated again and take too many.
export const CLAIM_DUE = `
  ${PLACES}, share as (
    select p.*, coalesce(own.most, other.most, $1) as most, count(*) over () as places
    from place p
    left join unnest($4::uuid[], $5::text[], $6::int[]) as own (project_id, channel, most) using (project_id, channel)
    left join unnest($7::text[], $8::int[]) as other (channel, most) using (channel)
  ), candidate as materialized (
    select d.message_id, s.lane, d.turn from share s cross join lateral (
      select l.message_id, row_number() over () as turn from (
        select message_id from courier.ledger
        where project_id = s.project_id and channel = s.channel and lane = s.lane and due_at <= now() and due_at is not null
        order by due_at
        limit least(s.most, greatest(8, $1 / s.places))
        for update skip locked
      ) l
    ) d
    where s.most > 0
  ), due as materialized (
    select message_id from candidate order by lane, turn limit $1
  )
  ${TAKE_DUE}`

export const CLAIM_EXPIRED = `
  with due as materialized (
    select message_id from courier.ledger
    where due_at is not null and expires_at <= now() and (state <> 1 or due_at <= now())
    order by expires_at
    limit $1
    for update skip locked
  )
  ${TAKE_DUE}`

export const CONCLUDE = `
  with item as (
    select * from unnest($1::uuid[], $2::int[], $3::smallint[], $4::int[], $5::smallint[], $6::timestamptz[], $7::text[], $8::text[])
      as i (id, dispatch, state, charged, unknowns, due_at, payload, event)
  ), concluded as (
    update courier.ledger l
    set state = i.state, charged = i.charged, unknowns = i.unknowns, due_at = i.due_at, event = i.event,
        handed_over = l.handed_over or i.state <> 4,
        payload = case when i.state = 4 then null else coalesce(l.payload, i.payload) end,
        owner = null, lease_until = null, updated_at = now()
    from item i
    where l.message_id = i.id and l.dispatch = i.dispatch and l.owner = $9 and l.state = 1
    returning l.message_id, l.dispatch, l.handed_over, l.event
  ), recorded as (
    insert into courier.event_outbox (message_id, event)
    select message_id, event from concluded where handed_over
    returning id, message_id
  )
  select c.message_id as id, c.dispatch, r.id as "outboxId" from concluded c left join recorded r using (message_id)`

export const RELEASE = `
  update courier.ledger l
  set state = 2, owner = null, lease_until = null, due_at = now() + $5::interval, handed_over = true, dispatch = l.dispatch - 1,
      payload = coalesce(l.payload, i.payload), updated_at = now()
  from unnest($1::uuid[], $2::int[], $3::text[]) as i (id, dispatch, payload)
  where l.message_id = i.id and l.dispatch = coalesce(i.dispatch, l.dispatch) and l.owner = $4 and l.state = 1`

// Taken for 5 s: meanwhile no other courier publishes them as well.
export const LEFTOVERS = `
  with left_behind as materialized (
    select id from courier.event_outbox where created_at < clock_timestamp() - interval '5 s' order by id limit $1 for update skip locked
  )
  update courier.event_outbox e set created_at = clock_timestamp()
  from left_behind
  where e.id = left_behind.id
  returning e.id as "outboxId", e.event`

// Only what is not due yet: freed again by every courier's every heartbeat, a message would fall ever further behind.
export const RELEASE_DEAD = `
  with dead as materialized (
    select m.owner from courier.member m where m.heartbeat_at < now() - interval '15 s' and courier.is_dead(m.owner)
  ), freed as (
    update courier.ledger l set due_at = now(), lease_until = now()
    from dead where l.owner = dead.owner and l.state = 1 and l.due_at > now()
    returning l.message_id
  ), forgotten as (
    delete from courier.member m using dead
    where m.owner = dead.owner and m.heartbeat_at < now() - interval '1 hour'
  )
  select message_id from freed`
