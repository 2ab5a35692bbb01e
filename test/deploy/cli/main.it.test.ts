import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { runCli } from './run-cli.ts'

const postrider = (args: readonly string[], env: Record<string, string> = {}) => runCli(args, { env })

const MESSAGE = {
  id: '019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f',
  status: 'abandoned',
  state: 'abandoned',
  recipient: 'ada@example.org',
  template_type: 'login_code_valid',
  send_count: 2,
  created_at: '2026-01-02T03:04:05.678Z',
  last_error: 'no such user',
}

const BLOCKED = {
  ...MESSAGE,
  state: 'deferred',
  blocked_by: {
    class: 'network',
    reply_code: null,
    enhanced_code: null,
    since: '2026-01-02T03:04:05.678Z',
    next_probe_at: '2026-01-02T03:05:05.678Z',
    message: 'nobody answers at mx.example.net',
  },
}

/** An admin API that answers `pages` one after the other, and keeps what it was asked. */
async function adminApi(t: TestContext, pages: unknown[][]): Promise<{ url: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    response.setHeader('content-type', 'application/json')
    const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page_token') ?? 0)
    if (page + 1 < pages.length) {
      response.setHeader(
        'link',
        `</admin/courier/messages?page_token=0>; rel="first",</admin/courier/messages?page_token=${page + 1}>; rel="next"`,
      )
    }
    if (request.url?.includes('/messages/none')) {
      response.statusCode = 404
      response.end('{"error":{"code":404,"status":"Not Found","message":"Unable to locate the resource"}}')
    } else response.end(JSON.stringify(request.url?.includes('/messages/') ? shown(request.url) : pages[page]))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

function shown(path: string) {
  return path.endsWith('/blocked') ? BLOCKED : { ...MESSAGE, dispatches: [] }
}

describe('postrider', () => {
  it('exits 2 on wrong usage and tells on stderr what was wrong', async () => {
    for (const args of [
      ['no-such-command'],
      ['messages', 'list', '--status', 'lost'],
      ['messages', 'list', '--limit', '0'],
      ['messages', 'show'],
      ['up', '--scale', 'console=2'],
    ]) {
      const { code, stdout, stderr } = await postrider(args)
      assert.equal(code, 2, args.join(' '))
      assert.equal(stdout, '')
      assert.match(stderr, /error: /)
    }
  })

  it('shows help with examples on stdout and exits 0', async () => {
    for (const args of [['--help'], ['messages', 'list', '--help'], ['up', '--help']]) {
      const { code, stdout } = await postrider(args)
      assert.equal(code, 0)
      assert.match(stdout, /Examples:\n {2}\$ postrider/)
    }
  })

  it('prints the body of the API as json, sends filters and key', async (t) => {
    const { url, asked } = await adminApi(t, [[MESSAGE]])
    const args = ['messages', 'list', '--status', 'abandoned', '--recipient', 'ada@example.org', '--format', 'json']
    const { code, stdout } = await postrider(args, { POSTRIDER_URL: url, POSTRIDER_API_KEY: 'key' })
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout), [MESSAGE])
    assert.equal(asked[0]?.url, '/admin/courier/messages?page_size=50&status=abandoned&recipient=ada%40example.org')
    assert.equal(asked[0]?.headers.authorization, 'Bearer key')
  })

  it('follows pages up to the limit', async (t) => {
    const { url } = await adminApi(t, [[{ id: 1 }, { id: 2 }], [{ id: 3 }, { id: 4 }], [{ id: 5 }]])
    const { stdout } = await postrider(['messages', 'list', '--limit', '3', '--format', 'json'], { POSTRIDER_URL: url })
    assert.deepEqual(JSON.parse(stdout), [{ id: 1 }, { id: 2 }, { id: 3 }])
  })

  it('prints a table with a row per message, and yaml', async (t) => {
    const { url } = await adminApi(t, [[MESSAGE]])
    const table = await postrider(['messages', 'list'], { POSTRIDER_URL: url })
    assert.match(
      table.stdout,
      /^ID +STATE +RECIPIENT .*\n019a1f2e-\S+ +abandoned +ada@example\.org +login_code_valid +2 .*no such user\n$/,
    )
    const yaml = await postrider(['messages', 'show', MESSAGE.id, '--format', 'yaml'], { POSTRIDER_URL: url })
    assert.deepEqual(parse(yaml.stdout), { ...MESSAGE, dispatches: [] })
  })

  it('says what a message waits for', async (t) => {
    const { url } = await adminApi(t, [[]])
    const { stdout } = await postrider(['messages', 'show', 'blocked'], { POSTRIDER_URL: url })
    assert.match(
      stdout,
      /^waits +nobody answers at mx\.example\.net, since 2026-01-02T03:04:05\.678Z, next look at 2026-01-02T03:05:05\.678Z$/m,
    )
    assert.doesNotMatch(stdout, /blocked_by|\[object/)
  })

  it('exits 1 with the words of the API, or with the address that does not answer', async (t) => {
    const { url } = await adminApi(t, [[]])
    const missing = await postrider(['messages', 'show', 'none'], { POSTRIDER_URL: url })
    assert.equal(missing.code, 1)
    assert.equal(missing.stderr, 'postrider: Unable to locate the resource\n')
    const dead = await postrider(['messages', 'list'], { POSTRIDER_URL: 'http://127.0.0.1:1' })
    assert.equal(dead.code, 1)
    assert.match(dead.stderr, /no answer from http:\/\/127\.0\.0\.1:1 .*POSTRIDER_URL/)
  })

  it('finds the console of its home', async (t) => {
    const { url } = await adminApi(t, [[MESSAGE]])
    const home = await mkdtemp(join(tmpdir(), 'postrider-cli-'))
    t.after(() => rm(home, { recursive: true }))
    const run = { pid: process.pid, startedAt: '2026-01-01T00:00:00Z', urls: { console: url }, processes: [] }
    await writeFile(join(home, 'run.json'), JSON.stringify(run))
    const { code, stdout } = await postrider(['messages', 'list', '--format', 'json'], { POSTRIDER_HOME: home })
    assert.equal(code, 0)
    assert.equal(JSON.parse(stdout).length, 1)
  })

  it('checks a configuration: exit 0, or 1 with the place of the mistake', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'postrider-cli-'))
    t.after(() => rm(folder, { recursive: true }))
    const good = join(folder, 'good.yaml')
    const bad = join(folder, 'bad.yaml')
    await writeFile(good, 'courier:\n  smtp:\n    connection_uri: smtp://mail.example.org:25/?disable_starttls=true\n')
    await writeFile(bad, 'courier:\n  message_retries: many\n')
    const checked = await postrider(['config', 'check', good])
    assert.equal(checked.code, 0, checked.stderr)
    assert.match(checked.stderr, /warning: .*disable_starttls/)
    const refused = await postrider(['config', 'check', bad])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /bad\.yaml:2:\d+ courier\.message_retries/)
  })
})
