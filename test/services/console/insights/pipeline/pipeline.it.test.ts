import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { lagIn } from '../../../../../services/console/insights/pipeline/projector-lag.ts'
import { openHttpSink, replying } from '../../../../support/http-sink.ts'
import { openProjects } from '../../../../support/projects.ts'
import { makeKey } from '../../keys/make-keys.ts'
import { project } from '../../messages.ts'
import { openConsole, type TestConsole } from '../../open-console.ts'

const METRICS = `# TYPE courier_projector_lag_time_seconds gauge
courier_projector_lag_time_seconds{messaging_destination_name="courier.messages.v1",partition="0",service="p"} 0
courier_projector_lag_time_seconds{messaging_destination_name="courier.messages.v1",partition="1",service="p"} 2.5
`

const ledger = `insert into courier.ledger (message_id, project_id, channel, lane, state, due_at, expires_at, updated_at)
  values ($1, $2, 'email', 0, $3, $4, now() + interval '1 h', now() - interval '7 s')`

describe('lagIn', () => {
  it('is the longest of all partitions', () => assert.equal(lagIn(METRICS), 2.5))
  it('is not known without metrics', () => assert.equal(lagIn('# nothing\n'), undefined))
})

describe('GET /admin/courier/pipeline', () => {
  let console: TestConsole
  const stack = new AsyncDisposableStack()
  before(async () => {
    const sink = stack.use(await openHttpSink(replying(200, METRICS)))
    console = await openConsole({ insights: { projector: sink.origin } })
  })
  after(async () => {
    await console[Symbol.asyncDispose]()
    await stack.disposeAsync()
  })

  const stages = async (query = '') => {
    const { status, body } = await console.request('GET', `/admin/courier/pipeline${query}`)
    assert.equal(status, 200)
    return new Map(body.map((stage: { stage: string }) => [stage.stage, stage])) as Map<string, Record<string, never>>
  }

  it('is empty, stage by stage in their order, where nothing is on its way', async () => {
    const { body } = await console.request('GET', '/admin/courier/pipeline')
    assert.deepEqual(
      body.map(({ stage, count }: { stage: string; count: number }) => [stage, count]),
      ['outbox', 'topic', 'sending', 'waiting', 'projector'].map((stage) => [stage, 0]),
    )
    assert.equal(body[0].oldest_age_s, null)
  })

  it('shows how much waits where, and how long', async () => {
    const due = (seconds: number) => new Date(Date.now() + seconds * 1_000)
    const plant = async (state: string, code: number | undefined, due_at: Date | null = null) => {
      const id = await project(console, { state, created_at: due(-60) })
      if (code !== undefined)
        await console.database.query({ text: ledger, values: [id, DEFAULT_PROJECT_ID, code, due_at] })
    }
    await plant('queued', undefined)
    await plant('queued', 1)
    await plant('deferred', 2, due(300))
    await plant('deferred', 2, due(-20))
    await plant('held', 3, due(300))
    await plant('sent', 4)
    const body = { recipient: 'ada@example.org', template_type: 'stub', template_data: { subject: 's', body: 'b' } }
    await console.request('POST', '/admin/courier/messages', [body, body, body])
    const found = await stages()
    const countOf = (stage: string) => found.get(stage)?.count
    assert.deepEqual(
      [countOf('outbox'), countOf('topic'), countOf('sending'), countOf('waiting'), countOf('projector')],
      [3, 1, 1, 2, 3],
    )
    assert.ok(Number(found.get('topic')?.oldest_age_s) >= 60)
    assert.ok(Number(found.get('sending')?.oldest_age_s) >= 7)
    assert.match(String(found.get('waiting')?.note), /^1 due for 2\d s at most; 1 held/)
    assert.equal(found.get('projector')?.oldest_age_s, 2.5)
  })

  it('keeps to one project', async () => {
    await console.request('POST', '/projects', { name: 'Idle' })
    const found = await stages('?project=idle')
    for (const stage of ['outbox', 'topic', 'sending', 'waiting', 'projector'])
      assert.equal(found.get(stage)?.count, 0, stage)
    const { headers } = await makeKey(console, { role: 'viewer', project: 'idle' })
    const { body } = await console.request('GET', '/admin/courier/pipeline', undefined, headers)
    assert.equal(body[0].count, 0)
  })

  it('says so where the projector gives no answer, and takes the oldest that it has not shown', async () => {
    await using quiet = await openConsole({ insights: { projector: 'http://127.0.0.1:1' } })
    const body = { recipient: 'ada@example.org', template_type: 'stub', template_data: { subject: 's', body: 'b' } }
    await quiet.request('POST', '/admin/courier/messages', body)
    const projector = (await quiet.request('GET', '/admin/courier/pipeline')).body.at(-1)
    assert.equal(projector.count, 1)
    assert.ok(projector.oldest_age_s >= 0)
    assert.match(projector.note, /no answer/)
  })
})

describe('GET /admin/courier/channels', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole({ insights: { mailboxPort: '4425' } })
  })
  after(() => console[Symbol.asyncDispose]())
  const channels = async (query = '') => (await console.request('GET', `/admin/courier/channels${query}`)).body

  it('shows the channel of the operator, open and at rest', async () => {
    const [only, ...others] = await channels()
    assert.equal(others.length, 0)
    const { project, channel, provider, state, per_minute, success_share, last_error } = only
    assert.deepEqual(
      { project, channel, provider, state, per_minute, success_share, last_error },
      {
        project: 'default',
        channel: 'email',
        provider: '127.0.0.1:4425',
        state: 'open',
        per_minute: 0,
        success_share: null,
        last_error: null,
      },
    )
  })

  it('shows those of projects, with rate, success and the last error, and never a credential', async () => {
    const projects = openProjects(console.database, 'a secret of the console tests')
    const { id } = await projects.configure('acme', {
      courier: { smtp: { connection_uri: 'smtps://user:pass-of-acme@mail.acme.test:465/' } },
      postrider: { courier: { rate: '100/1m' } },
    })
    for (const state of ['sent', 'sent', 'sent', 'deferred']) {
      const message = await project(console, { project_id: id, state })
      await console.database.query({
        text: `insert into console.dispatch (message_id, dispatch, state, id, attempt, failure_class, reply_code, error, created_at)
               values ($1, 1, $2, gen_random_uuid(), 1, case $2 when 'deferred' then 'throttled' end,
                 case $2 when 'deferred' then 451 end, case $2 when 'deferred' then 'mail.acme.test refused' end, now())`,
        values: [message, state],
      })
    }
    const found = await channels()
    const acme = found.find((each: { project: string }) => each.project === 'acme')
    assert.equal(acme.provider, 'mail.acme.test:465')
    assert.equal(acme.rate, '100/1m')
    assert.equal(acme.per_minute, 4)
    assert.equal(acme.success_share, 0.75)
    assert.equal(acme.last_error.reply_code, 451)
    assert.equal(acme.last_error.message, 'mail.acme.test refused')
    assert.ok(!JSON.stringify(found).includes('pass-of-acme'))
  })

  it('tells what blocks a channel, since when, and how many couriers say so', async () => {
    await console.database.query({ text: `insert into courier.member (owner) values ('c-1'), ('c-2')` })
    await console.database.query({
      text: `insert into courier.channel_report (owner, project_id, channel, class, reply_code, message, since, next_probe_at)
             select owner, null, 'email', 'auth', 535, 'it refused the login', now() - interval '1 min', now() + interval '5 s'
             from courier.member`,
    })
    const [operator] = await channels('?project=default')
    assert.deepEqual([operator.state, operator.class, operator.reply_code], ['blocked', 'auth', 535])
    assert.equal(operator.message, 'it refused the login')
    assert.ok(Date.parse(operator.since) < Date.now())
    assert.deepEqual([operator.couriers_reporting, operator.couriers_alive], [2, 2])
  })

  it('shows of one project also the channel that it shares', async () => {
    await console.request('POST', '/projects', { name: 'Plain' })
    const [shared] = await channels('?project=plain')
    assert.deepEqual([shared.project, shared.shared, shared.state], ['plain', true, 'blocked'])
    const { headers } = await makeKey(console, { role: 'viewer', project: 'acme' })
    const own = (await console.request('GET', '/admin/courier/channels', undefined, headers)).body
    assert.deepEqual(
      own.map((each: { project: string; channel: string }) => [each.project, each.channel]),
      [['acme', 'email']],
    )
  })
})
