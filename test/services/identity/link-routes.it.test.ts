import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { openIdentity, type SentMail, type TestIdentity } from './open-identity.ts'

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const JSON_CLIENT = { accept: 'application/json' }
const FORM = { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }

describe('addLinkRoutes', () => {
  let service: TestIdentity
  before(async () => {
    service = await openIdentity()
    await service.registered('Link@one.example')
  })
  after(() => service[Symbol.asyncDispose]())

  const link = async (kind: 'verification' | 'recovery', email = 'link@one.example') => {
    const { mail, flowId } = await service.startWith(kind, { email, method: 'link' })
    return { mail, flowId, url: new URL(urlIn(mail, kind)) }
  }
  const open = (url: URL, headers: Record<string, string> = {}) =>
    service.request('GET', url.pathname + url.search, undefined, headers)
  const who = (token: string) =>
    service.request('GET', '/sessions/whoami', undefined, { 'x-session-token': token }).then(({ status }) => status)

  it('mails a link with the keys of Ory, living as long as links do', async () => {
    for (const kind of ['verification', 'recovery'] as const) {
      const { mail, flowId, url } = await link(kind)
      assert.equal(mail.record.template_type, `${kind}_valid`)
      assert.equal(mail.recipient, 'Link@one.example')
      assert.equal(url.origin + url.pathname, `${service.publicUrl}/self-service/${kind}`)
      assert.equal(url.searchParams.get('flow'), flowId)
      assert.match(url.searchParams.get('token') ?? '', /^[\w-]{43}$/)
      assert.deepEqual(Object.keys(mail.data).sort(), [
        'expires_in_minutes',
        'identity',
        ...(kind === 'recovery' ? [`${kind}_url`, 'request_url'] : ['request_url']),
        'to',
        'transient_payload',
        ...(kind === 'verification' ? [`${kind}_url`] : []),
      ])
      assert.equal(mail.record.identity_id, (mail.data.identity as { id: string }).id)
    }
  })

  it('keeps no token in the database', async () => {
    const { url } = await link('recovery')
    const { rows } = await service.database.query<{ row: string }>({
      text: 'select string_agg(f::text, $1) as row from identity.flow f',
      values: ['\n'],
    })
    const token = url.searchParams.get('token') ?? ''
    assert.ok(!rows[0]!.row.includes(token))
    assert.ok(!rows[0]!.row.includes(Buffer.from(token, 'base64url').toString('hex')))
  })

  it('verifies by a link that may be opened again until it expires', async () => {
    const { url, flowId } = await link('verification')
    const first = await open(url)
    assert.deepEqual([first.status, first.body.verified, first.body.already_verified], [200, true, false])
    assert.equal(first.body.verifiable_address.value, 'Link@one.example')
    for (let i = 0; i < 7; i++) {
      const again = await open(url, i % 2 === 0 ? JSON_CLIENT : {})
      assert.deepEqual([again.status, again.body.already_verified], [200, true])
    }
    await expire(flowId)
    assert.equal((await open(url)).status, 410)
  })

  it('shows a browser plain pages without script, under a strict policy', async () => {
    const { url } = await link('verification')
    for (const text of ['is verified, and you can close', 'was used before']) {
      const { status, body, headers } = await open(url, BROWSER)
      assert.equal(status, 200)
      assert.match(headers.get('content-type') ?? '', /^text\/html/)
      assert.ok(body.includes(text))
      assert.match(body, /<html lang="en">/)
      assert.match(body, /prefers-color-scheme: dark/)
      assert.doesNotMatch(body, /<script|https?:\/\//)
      const policy = headers.get('content-security-policy') ?? ''
      const style = /<style>([\s\S]*)<\/style>/.exec(body)?.[1] ?? ''
      assert.match(policy, /default-src 'none'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.ok(policy.includes(`'sha256-${createHash('sha256').update(style).digest('base64')}'`))
      assert.equal(headers.get('referrer-policy'), 'no-referrer')
      assert.equal(headers.get('cache-control'), 'no-store')
    }
  })

  it('gives a JSON client the session of a recovery at once, once', async () => {
    const { url } = await link('recovery')
    const { status, body, headers } = await open(url, JSON_CLIENT)
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(body.identity.traits.email, 'Link@one.example')
    assert.equal(await who(body.session_token), 200)
    assert.equal((await open(url, JSON_CLIENT)).status, 410)
  })

  it('spends no recovery for whoever only opens the link, until the button is pressed', async () => {
    const { url, flowId } = await link('recovery')
    const token = url.searchParams.get('token') ?? ''
    for (const headers of [BROWSER, {}, { accept: '*/*' }, BROWSER]) {
      const { status, body } = await open(url, headers)
      assert.equal(status, 200)
      assert.ok(!JSON.stringify(body).includes('prst_'))
    }
    assert.equal((await service.request('HEAD', url.pathname + url.search, undefined, JSON_CLIENT)).status, 404)

    const page = (await open(url, BROWSER)).body
    const [, action = ''] = /<form method="post" action="([^"]+)">/.exec(page) ?? []
    const target = new URL(action, url)
    assert.equal(target.pathname, `/self-service/recovery/${flowId}`)
    assert.ok(page.includes(`<input type="hidden" name="token" value="${token}">`))
    const submit = (headers: Record<string, string>) =>
      service.submit(target.pathname, new URLSearchParams({ token }).toString(), headers)
    assert.equal((await submit({ ...FORM, 'sec-fetch-site': 'cross-site' })).status, 400)
    const pressed = await submit(FORM)
    assert.equal(pressed.status, 200)
    const session = /prst_[\w-]+/.exec(pressed.body)?.[0] ?? ''
    assert.equal(await who(session), 200)
    const twice = await submit(FORM)
    assert.equal(twice.status, 410)
    assert.match(twice.body, /<h1>Gone<\/h1>/)
  })

  it('shows that a recovery link is over in place of a button that would do nothing, and only to who holds its token', async () => {
    const spent = await link('recovery')
    assert.equal((await open(spent.url, JSON_CLIENT)).status, 200)
    const expired = await link('recovery')
    await expire(expired.flowId)
    for (const { url } of [spent, expired]) {
      const page = await open(url, BROWSER)
      assert.equal(page.status, 410)
      assert.match(page.body, /<h1>Gone<\/h1>/)
      assert.doesNotMatch(page.body, /<form/)
      assert.equal((await open(url)).status, 410)
      url.searchParams.set('token', 'A'.repeat(43))
      const ofStranger = await open(url, BROWSER)
      assert.deepEqual([ofStranger.status, ofStranger.body.includes('<form')], [200, true])
    }
    spent.url.searchParams.set('flow', '00000000-0000-4000-8000-000000000000')
    assert.equal((await open(spent.url, BROWSER)).status, 404)
  })

  it('takes a token by POST of JSON too, and once of many at once', async () => {
    const { url, flowId } = await link('recovery')
    const token = url.searchParams.get('token')
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => service.request('POST', `/self-service/recovery/${flowId}`, { token })),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 410, 410, 410])
  })

  it('refuses a link that is cut off or wrong, and still takes the right one after many wrong ones', async () => {
    const { url } = await link('verification')
    const changed = (name: string, value: string) => {
      const copy = new URL(url)
      copy.searchParams.set(name, value)
      return copy
    }
    const wrong = `${(url.searchParams.get('token') ?? '').slice(0, -2)}AA`
    for (let i = 0; i < 8; i++) assert.equal((await open(changed('token', wrong))).status, 400)
    assert.equal((await open(changed('token', 'short'))).status, 400)
    assert.equal((await open(changed('flow', 'short'), BROWSER)).status, 400)
    assert.equal((await open(changed('flow', '00000000-0000-4000-8000-000000000000'), BROWSER)).status, 404)
    assert.equal((await open(url)).status, 200)
  })

  it('takes no forms anywhere else', async () => {
    const body = new URLSearchParams({ identifier: 'link@one.example' }).toString()
    for (const kind of ['registration', 'login', 'recovery', 'verification']) {
      const { status, body: told } = await service.submit(`/self-service/${kind}`, body, FORM)
      assert.equal(status, 415)
      const text = typeof told === 'string' ? told : JSON.stringify(told)
      assert.match(text, /expected application\/json/, kind)
    }
  })

  it('points links at the configured base, with the configured lifespan', async () => {
    service.settings.linkBaseUrl = 'https://accounts.example/auth'
    service.settings.linkLifespanMs = 7 * 60_000
    const { mail, url } = await link('recovery')
    assert.ok(url.href.startsWith('https://accounts.example/auth/self-service/recovery?'))
    assert.equal(mail.data.expires_in_minutes, 7)
    const livesMs = Date.parse(mail.record.expires_at) - Date.parse(mail.record.created_at)
    assert.ok(Math.abs(livesMs - 7 * 60_000) < 5_000, `${livesMs}`)
  })

  async function expire(flowId: string): Promise<void> {
    await service.database.query({
      text: "update identity.flow set expires_at = now() - interval '1 second' where id = $1",
      values: [flowId],
    })
  }
})

function urlIn(mail: SentMail, kind: string): string {
  return String(mail.data[`${kind}_url`])
}
