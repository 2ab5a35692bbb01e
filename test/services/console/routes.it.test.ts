import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { extname } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { buildPage } from '../../../deploy/local/build-page.ts'
import { openConsole, type TestConsole } from './open-console.ts'

const MESSAGES = '/admin/courier/messages'
const REDACTED = '<redacted-unless-dev-mode>'

function stub(recipient: string, subject = 'Planted subject') {
  return { recipient, template_type: 'stub', template_data: { subject, body: 'Planted body 123456' } }
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

describe('POST /admin/courier/messages', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole()
  })
  after(() => console[Symbol.asyncDispose]())

  const post = (body: unknown, headers?: Record<string, string>) => console.request('POST', MESSAGES, body, headers)
  const outboxRows = async () =>
    (await console.database.query<{ count: number }>({ text: 'select count(*) from outbox.message' })).rows[0]!.count

  it('accepts one message, which is found at once', async () => {
    const { status, body } = await post(stub('one@example.org'))
    assert.equal(status, 202)
    const shown = await console.request('GET', `${MESSAGES}/${body.id}`)
    assert.equal(shown.status, 200)
    assert.equal(shown.body.status, 'queued')
    assert.equal(shown.body.state, 'queued')
    assert.equal(shown.body.recipient, 'one@example.org')
    assert.equal(shown.body.type, 'email')
    assert.equal(shown.body.send_count, 0)
    assert.equal('dispatches' in shown.body, false)
    assert.deepEqual([shown.body.subject, shown.body.body], [REDACTED, REDACTED])
    assert.match(shown.body.trace_id, /^[0-9a-f]{32}$/)
  })

  it('accepts a list and answers ids in its order', async () => {
    const { status, body } = await post([stub('a@example.org'), stub('b@example.org'), stub('c@example.org')])
    assert.equal(status, 202)
    const recipients = []
    for (const { id } of body) recipients.push((await console.request('GET', `${MESSAGES}/${id}`)).body.recipient)
    assert.deepEqual(recipients, ['a@example.org', 'b@example.org', 'c@example.org'])
  })

  it('accepts nothing of a list with one bad element, and names index and field', async () => {
    const before = await outboxRows()
    for (const [bad, field] of [
      [{ ...stub('x@example.org'), recipient: 'x@y@example.org' }, '[1].recipient'],
      [{ ...stub('x@example.org'), template_type: 'unknown' }, '[1].template_type'],
      [{ ...stub('x@example.org'), template_data: { body: 'x' } }, '[1].template_data'],
      [{ ...stub('x@example.org'), colour: 'red' }, '[1].colour'],
      [{ ...stub('x@example.org'), expires_at: '2020-01-01T00:00:00Z' }, '[1].expires_at'],
      [{ ...stub('x@example.org'), expires_at: '2099-01-01T00:00:00Z' }, '[1].expires_at'],
      [{ ...stub('x@example.org'), project: 'nobody' }, '[1].project'],
      ['text', '[1]'],
    ] as const) {
      const { status, body } = await post([stub('good@example.org'), bad])
      assert.equal(status, 400, field)
      assert.ok(body.error.message.startsWith(field), body.error.message)
      assert.ok(!body.error.message.includes('x@'), 'the address is not repeated')
    }
    assert.equal(await outboxRows(), before)
  })

  it('answers the same ids to the same Idempotency-Key, and 422 where the body differs', async () => {
    const key = { 'idempotency-key': 'order-1' }
    const first = await post([stub('idem@example.org'), stub('potent@example.org')], key)
    const before = await outboxRows()
    const second = await post([stub('idem@example.org'), stub('potent@example.org')], key)
    assert.deepEqual(second.body, first.body)
    assert.equal((await post([stub('other@example.org')], key)).status, 422)
    assert.equal(await outboxRows(), before)
    const racing = { 'idempotency-key': 'order-2' }
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(stub('race@example.org'), racing)))
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
    assert.equal(await outboxRows(), before + 1)
  })

  it('refuses a message that no broker would take with 413', async () => {
    const large = stub('large@example.org')
    large.template_data.body = 'x'.repeat(950_000)
    const { status, body } = await console.request('POST', MESSAGES, large)
    assert.equal(status, 413)
    assert.ok(!JSON.stringify(body).includes('large@'))
  })

  it('leaves nothing in clear in the tables', async () => {
    await post(stub('planted@example.org'))
    for (const table of ['outbox.message', 'console.accepted']) {
      const { rows } = await console.database.query<{ text: string }>({
        text: `select t::text as text from ${table} t`,
      })
      for (const { text } of rows) assert.doesNotMatch(text, /planted@|Planted|123456/)
    }
  })
})

describe('GET /admin/courier/messages', () => {
  let console: TestConsole
  const ids: string[] = []
  before(async () => {
    console = await openConsole()
    for (let i = 0; i < 7; i++)
      ids.unshift((await console.request('POST', MESSAGES, stub(`user-${i % 2}@example.org`))).body.id)
  })
  after(() => console[Symbol.asyncDispose]())

  const list = (query = '') => console.request('GET', `${MESSAGES}${query}`)

  it('lists newest first, without dispatches', async () => {
    const { status, body, headers } = await list()
    assert.equal(status, 200)
    assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
    assert.deepEqual(
      body.map(({ id }: { id: string }) => id),
      ids,
    )
    assert.match(
      headers.get('link') ?? '',
      /^<\/admin\/courier\/messages\?page_size=10&page_token=[^>]+>; rel="first"$/,
    )
  })

  it('is walked by the Link header, each message once', async () => {
    const seen: string[] = []
    for (let path: string | undefined = `${MESSAGES}?page_size=3`; path !== undefined; ) {
      const page: Awaited<ReturnType<typeof list>> = await console.request('GET', path)
      seen.push(...page.body.map(({ id }: { id: string }) => id))
      path = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]
    }
    assert.deepEqual(seen, ids)
  })

  it('filters by recipient, status, state, template and project', async () => {
    assert.equal((await list('?recipient=user-1@example.org')).body.length, 3)
    assert.equal((await list('?recipient=USER-1@example.org')).body.length, 0)
    assert.equal((await list('?status=queued')).body.length, 7)
    assert.equal((await list('?status=sent')).body.length, 0)
    assert.equal((await list('?state=deferred')).body.length, 0)
    assert.equal((await list('?template_type=stub&project=default')).body.length, 7)
    assert.equal((await list('?project=nobody')).body.length, 0)
  })

  for (const [query, message] of [
    ['?status=lost', /Message status is not valid/],
    ['?status=', /Message status is not valid/],
    ['?page_size=many', /invalid syntax/],
    ['?page_token=made-up', /invalid pagination token/],
  ] as const) {
    it(`answers ${query} with 400`, async () => {
      const { status, body } = await list(query)
      assert.equal(status, 400)
      assert.match(body.error.message, message)
    })
  }

  it('answers alike without the prefix', async () => {
    assert.equal((await console.request('GET', '/courier/messages')).body.length, 7)
  })
})

describe('the console', () => {
  it('answers a malformed id and an unknown one in the words of Ory', async () => {
    await using console = await openConsole()
    const malformed = await console.request('GET', `${MESSAGES}/not-a-uuid`)
    assert.deepEqual(malformed.body.error, {
      code: 400,
      status: 'Bad Request',
      message: 'uuid: incorrect UUID length 10 in string "not-a-uuid"',
    })
    const unknown = await console.request('GET', `${MESSAGES}/019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f`)
    assert.equal(unknown.status, 404)
    assert.equal(unknown.body.error.message, 'Unable to locate the resource')
  })

  it('shows subject and body in dev mode only', async () => {
    await using console = await openConsole({ dev: true })
    const { body } = await console.request('POST', MESSAGES, stub('dev@example.org'))
    const shown = await console.request('GET', `${MESSAGES}/${body.id}`)
    assert.deepEqual([shown.body.subject, shown.body.body], ['Planted subject', 'Planted body 123456'])
  })

  it('serves the page and its files under a policy that allows its own files only', async () => {
    await buildPage()
    await using console = await openConsole()
    const document = await fetch(`${console.url}/messages/some-id?state=sent`)
    const files = [...(await document.text()).matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]!)
    assert.ok(files.some((file) => file.endsWith('.js')) && files.some((file) => file.endsWith('.css')))
    for (const file of files) {
      const { status, headers } = await fetch(`${console.url}${file}`)
      assert.equal(status, 200)
      assert.ok(headers.get('content-type')?.startsWith(TYPES[extname(file)] ?? 'no type'), file)
    }
    assert.match(document.headers.get('content-security-policy') ?? '', /default-src 'self'/)
  })

  it('is not reached through a name that points to loopback', async () => {
    await using console = await openConsole()
    const { port } = new URL(console.url)
    const status = await new Promise((resolve, reject) =>
      httpRequest({ host: '127.0.0.1', port, path: MESSAGES, headers: { host: 'rebound.example' } }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on('error', reject)
        .end(),
    )
    assert.equal(status, 400)
  })
})
