import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Tx } from '#libs/database'
import { listMessages } from '../../../services/console/message-repository.ts'
import { type Query, readFilter } from '../../../services/console/read-filter.ts'
import { project } from './messages.ts'
import { openConsole, type TestConsole } from './open-console.ts'

const MESSAGES = '/admin/courier/messages'
/** Of a Kratos, which has no row among the projects. */
const NETWORK = '5f2c1b7e-0d3a-4a57-9f0e-6b1f2a9c8d7e'
const IDENTITY = '3f6c2a10-4b7d-4c1e-9a55-8d0e7f1b2c3d'
const TRACE = '0af7651916cd43dd8448eb211c80319c'

describe('the filters of the list', () => {
  let console: TestConsole
  const ids: Record<string, string> = {}
  const names = new Map<string, string>()
  before(async () => {
    console = await openConsole()
    const shop = '019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f'
    await console.database.query({
      text: `insert into config.project (id, slug, name) values ($1, 'shop', 'Shop')`,
      values: [shop],
    })
    const rows = {
      sent: { reply_code: 250, enhanced_code: '2.0.0', recipient_domain: 'example.org', provider_message_id: 'Q1' },
      traced: { trace_id: TRACE, created_at: new Date('2026-01-02T03:04:05Z') },
      refused: {
        state: 'abandoned',
        failure_class: 'permanent_recipient',
        reply_code: 550,
        enhanced_code: '5.1.1',
        recipient_domain: 'refuses.example',
      },
      waiting: { state: 'deferred', failure_class: 'greylisted', reply_code: 451, template_type: 'login_code_valid' },
      sms: { channel: 'sms', identity_id: IDENTITY, recipient: '+4930901820', provider_message_id: '4930901821' },
      other: { project_id: shop, recipient: 'ada@example.org' },
      kratos: { project_id: NETWORK, recipient: 'kratos@example.org' },
    }
    for (const [name, row] of Object.entries(rows)) ids[name] = await project(console, row)
    const template_data = { subject: 's', body: 'b' }
    const stub = { recipient: 'new@example.org', template_type: 'stub', template_data, identity_id: IDENTITY }
    ids.accepted = (await console.request('POST', MESSAGES, stub)).body.id
    for (const [name, id] of Object.entries(ids)) names.set(id, name)
  })
  after(() => console[Symbol.asyncDispose]())

  const list = (query: string) => console.request('GET', `${MESSAGES}?${query}`)
  const named = async (query: string) => {
    const { status, body } = await list(query)
    assert.equal(status, 200, JSON.stringify(body))
    return body.map(({ id }: { id: string }) => names.get(id)).sort()
  }
  const ALL = ['accepted', 'kratos', 'other', 'refused', 'sent', 'sms', 'traced', 'waiting']

  for (const [query, expected] of [
    ['', ALL],
    ['colour=red', ALL],
    ['channel=&class=&q=', ALL],
    ['channel=sms', ['sms']],
    ['domain=Example.org', ['sent']],
    ['class=greylisted', ['waiting']],
    ['reply_code=550', ['refused']],
    ['reply_code=250', ['sent']],
    ['enhanced_code=5.1.1', ['refused']],
    ['enhanced_code=2.0.0', ['sent']],
    ['provider_message_id=Q1', ['sent']],
    [`trace_id=${TRACE.toUpperCase()}`, ['traced']],
    [`identity_id=${IDENTITY}`, ['accepted', 'sms']],
    [`identity_id=${IDENTITY}&state=sent`, ['sms']],
    [`identity_id=${IDENTITY.slice(0, -1)}`, []],
    ['created_before=2026-01-02T03:04:05Z', []],
    ['created_before=2026-01-02T03:04:06Z', ['traced']],
    ['created_after=2026-01-02T03:04:05Z&created_before=2026-01-03T00:00:00%2B01:00', ['traced']],
    ['created_after=2026-01-02T03:04:06Z&domain=example.org', ['sent']],
    ['state=deferred&channel=email&class=greylisted&reply_code=451', ['waiting']],
    ['state=sent&status=abandoned', []],
    ['project=shop&recipient=ada@example.org', ['other']],
    ['recipient=ada@example.org&state=sent', ['other', 'sent', 'traced']],
    ['q=ada@example.org%20project:shop', ['other']],
    ['q=%2B4930901820', ['sms']],
    ['q=4930901820', ['sms']],
    ['q=4930901821', ['sms']],
    [`q=${TRACE}`, ['traced']],
    ['q=Q1', ['sent']],
    ['q=login', ['waiting']],
    ['q=queued', ['accepted']],
    ['q=state:deferred%20code:451', ['waiting']],
    ['q=refuses', []],
    ['q=domain:refuses.example', ['refused']],
    ['q=project:nobody', []],
    ['q=kratos@example.org', ['kratos']],
    [`project=${NETWORK}`, ['kratos']],
    [`project=${NETWORK}&recipient=kratos@example.org`, ['kratos']],
    ['status=queued', ['accepted', 'waiting']],
    // What is only accepted knows the first of these, and can never have the second.
    ['project=default&class=greylisted', ['waiting']],
    ['template_type=login_code_valid&class=greylisted', ['waiting']],
    ['channel=email&reply_code=550', ['refused']],
    ['q=project:default%20550', ['refused']],
    ['q=login%20state:deferred', ['waiting']],
  ] as const) {
    it(`chooses ${expected.join(', ') || 'nothing'} by ${query || 'nothing'}`, async () =>
      assert.deepEqual(await named(query), expected))
  }

  it('finds a message by its id, projected or only accepted', async () => {
    assert.deepEqual(await named(`message_id=${ids.sms}`), ['sms'])
    assert.deepEqual(await named(`q=${ids.accepted}`), ['accepted'])
    assert.deepEqual(await named(`q=${ids.accepted}&state=sent`), [])
  })

  for (const [query, problem] of [
    ['channel=fax', /^channel: expected one of email, sms/],
    ['class=lost', /^class: expected one of expired, /],
    ['reply_code=5', /^reply_code: expected three digits/],
    ['enhanced_code=abc', /^enhanced_code: expected/],
    ['trace_id=12', /^trace_id: expected 32 hex digits/],
    ['message_id=12', /^message_id: expected a UUID/],
    ['created_after=yesterday', /^created_after: expected RFC 3339/],
    ['created_before=2026-13-01T00:00:00Z', /^created_before: expected RFC 3339/],
    ['q=state:lost', /^q: state: expected one of/],
    ['dispatches=maybe', /^dispatches: expected true or false/],
  ] as const) {
    it(`refuses ${query} and names the parameter`, async () => {
      const { status, body } = await list(query)
      assert.equal(status, 400)
      assert.match(body.error.message, problem)
    })
  }

  for (const name of ['q', 'project', 'template_type', 'domain', 'provider_message_id']) {
    it(`refuses U+0000 in ${name}`, async () => assert.equal((await list(`${name}=a%00`)).status, 400))
  }

  it('pages through what a filter chooses, each once', async () => {
    const seen: string[] = []
    for (let path: string | undefined = `${MESSAGES}?page_size=1&q=ada@example.org`; path !== undefined; ) {
      const page: Awaited<ReturnType<typeof list>> = await console.request('GET', path)
      seen.push(...page.body.map(({ id }: { id: string }) => names.get(id)))
      path = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]
    }
    assert.deepEqual(seen.sort(), ['other', 'refused', 'sent', 'traced', 'waiting'])
  })

  it('shows dispatches in the list on request only, as the message itself does but without words', async () => {
    await console.database.query({
      text: `insert into console.dispatch (message_id, dispatch, state, id, attempt, created_at)
             values ($1, 1, 'deferred', gen_random_uuid(), 1, now()), ($1, 2, 'sent', gen_random_uuid(), 2, now())`,
      values: [ids.sent],
    })
    const { body: plain } = await list('domain=example.org')
    assert.equal('dispatches' in plain[0], false)
    const { body } = await list('dispatches=true')
    const { body: shown } = await console.request('GET', `${MESSAGES}/${ids.sent}`)
    const byId = new Map(body.map((message: { id: string }) => [message.id, message]))
    const wordless = shown.dispatches.map(
      ({ reply_text: _t, conversation: _c, ...rest }: object & Record<string, unknown>) => rest,
    )
    assert.deepEqual(byId.get(ids.sent!), { ...shown, dispatches: wordless })
    assert.deepEqual(
      shown.dispatches.map(({ attempt }: { attempt: number }) => attempt),
      [2, 1],
    )
    assert.equal('dispatches' in (byId.get(ids.sms!) as object), false)
  })

  it('uses an index for whatever is rare among many', async () => {
    await console.database.query({
      text: `insert into console.message (id, project_id, channel, template_type, lane, facts_from, trace_id, recipient_domain,
               provider_message_id, created_at, expires_at, state, updated_at)
             select gen_random_uuid(), $1, 'email', 'stub', 'notice', 'record', md5(i::text), 'many.example', 'P' || i,
               now() - i * interval '1 s', now(), 'sent', now() from generate_series(1, 20000) i`,
      values: ['00000000-0000-7000-8000-000000000001'],
    })
    await console.database.query({ text: 'analyze console.message' })
    for (const [query, index] of [
      [{ trace_id: TRACE }, 'message_trace'],
      [{ provider_message_id: 'Q1' }, 'message_provider'],
      [{ domain: 'refuses.example' }, 'message_domain'],
      [{ class: 'permanent_recipient' }, 'message_unsent'],
      [{ reply_code: '550' }, 'message_unsent'],
      [{ enhanced_code: '5.1.1' }, 'message_unsent'],
      [{ state: 'deferred', template_type: 'stub' }, 'message_unsent'],
      [{ message_id: ids.sms! }, 'message_pkey'],
      [{ recipient: 'ada@example.org' }, 'message_recipient'],
      [{ q: '4930901821' }, 'message_provider'],
    ] as const) {
      const plan = await planOf(query)
      assert.match(plan, new RegExp(index), JSON.stringify(query))
      assert.doesNotMatch(plan, /Seq Scan on message|message_newest/, JSON.stringify(query))
    }
  })

  /** How the list's statement is run. */
  async function planOf(query: Query): Promise<string> {
    const filter = await readFilter(query, console, undefined)
    const plans: string[] = []
    const explaining: Tx = {
      query: async ({ text, values = [] }) => {
        const { rows } = await console.database.query<{ 'QUERY PLAN': string }>({ text: `explain ${text}`, values })
        plans.push(...rows.map((row) => row['QUERY PLAN']))
        return { rows: [], rowCount: 0 }
      },
    }
    await listMessages(explaining, filter!, 11)
    return plans.join('\n')
  }
})
