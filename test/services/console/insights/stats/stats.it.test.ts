import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeKey } from '../../keys/make-keys.ts'
import { project } from '../../messages.ts'
import { openConsole, type TestConsole } from '../../open-console.ts'

const PATH = '/admin/courier/stats'
const MINUTE = 60_000
const FROM = Date.now() - 30 * MINUTE
const iso = (ms: number): string => new Date(ms).toISOString()
const SPAN = `from=${iso(FROM)}&to=${iso(FROM + 20 * MINUTE)}`

describe('GET /admin/courier/stats', () => {
  let console: TestConsole
  let acme: string
  before(async () => {
    console = await openConsole()
    acme = (await console.request('POST', '/projects', { name: 'Acme' })).body.id
    const plant = async (ms: number, columns: Record<string, unknown>) => {
      const created_at = new Date(ms)
      const took = Number(columns.took ?? 0)
      const { took: _, ...rest } = columns
      return project(console, { created_at, updated_at: new Date(ms + took), ...rest })
    }
    for (let n = 0; n < 20; n++) await plant(FROM + MINUTE, { took: 100 })
    await plant(FROM + 2 * MINUTE, { took: 10_000 })
    await plant(FROM + 5 * MINUTE, { state: 'deferred' })
    await plant(FROM + 5 * MINUTE, {
      state: 'abandoned',
      recipient_domain: 'bad.test',
      template_type: 'login_code_valid',
    })
    await plant(FROM + 6 * MINUTE, { state: 'expired' })
    await plant(FROM + 7 * MINUTE, { state: 'cancelled' })
    await plant(FROM + 8 * MINUTE, { state: 'bounced' })
    await plant(FROM + 9 * MINUTE, { took: 50, project_id: acme, channel: 'sms' })
    await plant(FROM - MINUTE, { took: 400 })
    await plant(FROM - MINUTE, { state: 'deferred' })
    await plant(FROM - 40 * MINUTE, { state: 'sent' })
    await console.database.query({
      text: `insert into console.dispatch (message_id, dispatch, state, id, attempt, failure_class, reply_code, provider, created_at)
             select id, 1, state, gen_random_uuid(), 1, 'permanent_recipient', 550, 'mail.test', created_at
             from console.message where state in ('deferred', 'abandoned')`,
    })
    await console.database.query({
      text: `insert into console.dispatch (message_id, dispatch, state, id, attempt, created_at)
             select id, 1, 'sent', gen_random_uuid(), 1, created_at + interval '100 ms'
             from console.message where state = 'bounced'`,
    })
    await console.request('POST', '/admin/courier/messages', {
      recipient: 'ada@example.org',
      template_type: 'stub',
      template_data: { subject: 's', body: 'b' },
    })
  })
  after(() => console[Symbol.asyncDispose]())

  it('counts what became of the messages of the span, and of the one before', async () => {
    const { status, body } = await console.request('GET', `${PATH}?${SPAN}`)
    assert.equal(status, 200)
    const { accepted, sent, deferred, failed, expired, cancelled, bounced } = body.totals
    assert.deepEqual(
      { accepted, sent, deferred, failed, expired, cancelled, bounced },
      { accepted: 27, sent: 23, deferred: 1, failed: 1, expired: 1, cancelled: 1, bounced: 1 },
    )
    assert.equal(body.totals.deferred_now, 2)
    assert.equal(body.previous.accepted, 2)
    assert.deepEqual(body.sampled, { share: 1, previous_share: 1, failed_attempts_capped: false })
  })

  it('tells how long sending took, right to one percent, also of what a provider reported on later', async () => {
    const { p50_ms, p95_ms, p99_ms } = (await console.request('GET', `${PATH}?${SPAN}`)).body.totals
    assert.ok(Math.abs(p50_ms - 100) <= 1, `${p50_ms}`)
    assert.ok(Math.abs(p95_ms - 100) <= 1, `${p95_ms}`)
    assert.ok(Math.abs(p99_ms - 10_000) <= 100, `${p99_ms}`)
  })

  it('has a column per step, whose parts add up to the totals', async () => {
    const { series, step_s, time_to_sent, totals } = (await console.request('GET', `${PATH}?${SPAN}`)).body
    assert.equal(series.length, Math.ceil(1_200 / step_s))
    assert.equal(series[0].at, iso(FROM))
    const sum = (name: string): number =>
      series.reduce((all: number, each: Record<string, number>) => all + each[name]!, 0)
    assert.equal(sum('accepted'), totals.accepted)
    assert.equal(sum('sent') + sum('deferred') + sum('failed') + sum('other'), totals.accepted)
    assert.equal(sum('failed'), totals.failed + totals.expired)
    assert.equal(series[60 / step_s].sent, 20)
    assert.equal(time_to_sent[0].p50, null)
    assert.ok(time_to_sent[60 / step_s].p50 > 0)
  })

  it('says what failed most', async () => {
    const { breakdown, failed_attempts } = (await console.request('GET', `${PATH}?${SPAN}`)).body
    assert.equal(failed_attempts, 2)
    assert.deepEqual(breakdown.class, [{ key: 'permanent_recipient', count: 2 }])
    assert.deepEqual(breakdown.reply_code, [{ key: '550', count: 2 }])
    assert.deepEqual(breakdown.domain, [{ key: 'bad.test', count: 1 }])
    assert.deepEqual(breakdown.provider, [{ key: 'mail.test', count: 2 }])
    assert.equal(breakdown.template.length, 2)
  })

  it('keeps to one project and one channel', async () => {
    const ofAcme = await console.request('GET', `${PATH}?${SPAN}&project=acme`)
    assert.equal(ofAcme.body.totals.accepted, 1)
    assert.equal((await console.request('GET', `${PATH}?${SPAN}&channel=sms`)).body.totals.accepted, 1)
    assert.equal((await console.request('GET', `${PATH}?${SPAN}&channel=email`)).body.totals.accepted, 26)
  })

  it('counts what is accepted and not projected yet', async () => {
    const { totals } = (await console.request('GET', `${PATH}?from=${iso(Date.now() - MINUTE)}`)).body
    assert.deepEqual([totals.accepted, totals.queued], [1, 1])
  })

  it('shows a key of one project nothing of another', async () => {
    const { headers } = await makeKey(console, { name: 'acme', role: 'viewer', project: 'acme' })
    const ask = (query: string) => console.request('GET', `${PATH}?${SPAN}${query}`, undefined, headers)
    assert.equal((await ask('')).body.totals.accepted, 1)
    assert.equal((await ask('&project=acme')).body.totals.accepted, 1)
    assert.equal((await ask('&project=default')).status, 404)
  })

  for (const [query, field] of [
    ['from=yesterday', 'from'],
    [`from=${iso(FROM)}&to=${iso(FROM)}`, 'from'],
    [`from=${iso(FROM - 8 * 86_400_000)}`, 'from'],
    ['channel=fax', 'channel'],
  ] as const) {
    it(`refuses ${query.slice(0, 40)}`, async () => {
      const { status, body } = await console.request('GET', `${PATH}?${query}`)
      assert.equal(status, 400)
      assert.equal(body.error.details.field, field)
    })
  }

  it('reads a part of very many, and says so', async () => {
    const busy = await openConsole()
    await using _ = { [Symbol.asyncDispose]: () => busy[Symbol.asyncDispose]() }
    await busy.database.query({
      text: `insert into console.message (id, project_id, channel, template_type, lane, facts_from, created_at, expires_at, state, updated_at)
             select gen_random_uuid(), '00000000-0000-7000-8000-000000000001', 'email', 'stub', 'notice', 'record',
               $1::timestamptz + g * interval '10 ms', now(), case when g % 10 = 0 then 'abandoned' else 'sent' end,
               $1::timestamptz + g * interval '10 ms' + interval '200 ms'
             from generate_series(0, 99999) g`,
      values: [new Date(FROM)],
    })
    await busy.database.query({ text: 'vacuum analyze console.message' })
    await busy.database.query({
      text: `insert into console.dispatch (message_id, dispatch, state, id, attempt, failure_class, created_at)
             select id, 1, state, gen_random_uuid(), 1, 'network', updated_at from console.message
             where state = 'abandoned'`,
    })
    await busy.request('POST', '/projects', { name: 'Idle' })
    const { body } = await busy.request('GET', `${PATH}?${SPAN}`)
    assert.ok(body.sampled.share < 1 && body.sampled.share > 0.3)
    assert.ok(Math.abs(body.totals.accepted - 100_000) < 3_000, `${body.totals.accepted}`)
    assert.ok(Math.abs(body.totals.failed - 10_000) < 500, `${body.totals.failed}`)
    assert.ok(Math.abs(body.totals.p95_ms - 200) <= 2)
    assert.equal(body.sampled.failed_attempts_capped, true)
    const idle = (await busy.request('GET', `${PATH}?${SPAN}&project=idle`)).body
    assert.deepEqual([idle.failed_attempts, idle.sampled.failed_attempts_capped], [0, true])
  })
})
