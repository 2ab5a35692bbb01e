import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { MASK } from '#libs/config'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { takeOverFile } from '../../../../services/console/projects/take-over-file.ts'
import { waitFor } from '../../../support/servers.ts'
import { type Answer, openConsole, type TestConsole } from '../open-console.ts'

const PASSWORD = 's3c-mailpassword'
const TOKEN = 's3c-requesttoken'
const SMTP = `smtps://ada:${PASSWORD}@mail.example.org:465/`
const SHOWN_SMTP = `smtps://ada:${MASK}@mail.example.org:465/`
const REQUEST = { url: 'https://hooks.example.org/', headers: { Authorization: TOKEN } }

describe('the API of projects', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole()
  })
  after(() => console[Symbol.asyncDispose]())

  let made = 0
  const request: TestConsole['request'] = (...args) => console.request(...args)
  /** Of its own for one test. */
  async function project(identity_config: unknown = {}): Promise<{ id: string; slug: string; path: string }> {
    const slug = `test-${++made}`
    const { status, body } = await request('POST', '/projects', { name: `Test ${made}`, slug, identity_config })
    assert.equal(status, 201, JSON.stringify(body))
    return { id: body.id, slug, path: `/projects/${body.id}` }
  }
  const configOf = async (path: string): Promise<Answer> => request('GET', `${path}/identity-config`)
  const put = (path: string, document: unknown, headers?: Record<string, string>): Promise<Answer> =>
    request('PUT', `${path}/identity-config`, document, headers)
  const patch = (path: string, operations: unknown, headers?: Record<string, string>): Promise<Answer> =>
    request('PATCH', `${path}/identity-config`, operations, headers)
  async function stored(id: string): Promise<unknown> {
    const { rows } = await console.database.query<{ sealed: string }>({
      text: 'select sealed from config.revision where project_id = $1 order by number desc limit 1',
      values: [id],
    })
    return console.sealer.open(id, rows[0]?.sealed ?? '')
  }

  it('lists projects with the fields of Ory, the default one first', async () => {
    const { status, body } = await request('GET', '/projects')
    assert.equal(status, 200)
    const { created_at, updated_at, ...first } = body[0]
    assert.deepEqual(first, {
      id: DEFAULT_PROJECT_ID,
      slug: 'default',
      name: 'Postrider',
      environment: 'prod',
      workspace_id: null,
      state: 'running',
      revision: 0,
    })
    assert.ok(!Number.isNaN(Date.parse(created_at)) && !Number.isNaN(Date.parse(updated_at)))
  })

  it('makes a project with a slug from its name, and its first revision', async () => {
    const first = await request('POST', '/projects', { name: 'Größe & Söhne' })
    assert.equal(first.status, 201)
    assert.equal(first.body.slug, 'grosse-sohne')
    assert.equal(first.body.revision, 1)
    const second = await request('POST', '/projects', { name: 'Grosse Sohne' })
    assert.equal(second.body.slug, 'grosse-sohne-2')
    assert.equal((await request('POST', '/projects', { name: '株式会社' })).body.slug, 'project')
    assert.deepEqual(await stored(first.body.id), {})
    assert.deepEqual((await request('GET', first.headers.get('location') ?? '')).body, first.body)
  })

  it('refuses a name or slug that cannot be one, and a slug that is taken', async () => {
    for (const [body, problem] of [
      [{}, /^name: /],
      [{ name: 'a\r\nBcc: x@example.org' }, /^name: /],
      [{ name: 'a', slug: 'No Slug' }, /^slug: /],
      [{ name: 'a', slug: DEFAULT_PROJECT_ID }, /^slug: /],
      [{ name: 'a', colour: 'red' }, /^colour: unknown field/],
      [[], /^body: /],
    ] as const) {
      const { status, body: answer } = await request('POST', '/projects', body)
      assert.equal(status, 400)
      assert.match(answer.error.message, problem)
    }
    const taken = await request('POST', '/projects', { name: 'a', slug: 'default' })
    assert.equal(taken.status, 409)
    assert.match(taken.body.error.message, /slug: default is taken/)
  })

  it('stores nothing of a project whose identity config is not valid', async () => {
    const config = { courier: { message_retries: 'x' } }
    assert.equal(
      (await request('POST', '/projects', { name: 'a', slug: 'invalid', identity_config: config })).status,
      400,
    )
    assert.equal((await request('GET', '/projects/invalid')).status, 404)
  })

  it('finds a project by id, slug, and a beginning that no other one has', async () => {
    const { id } = (await request('POST', '/projects', { name: 'x', slug: 'prefix-one' })).body
    await request('POST', '/projects', { name: 'x', slug: 'prefix-one-more' })
    await request('POST', '/projects', { name: 'x', slug: 'prefix-two' })
    for (const text of [id, id.toUpperCase(), id.slice(0, 20), 'prefix-one'])
      assert.equal((await request('GET', `/projects/${text}`)).body.id, id, text)
    const { status, body } = await request('GET', '/projects/prefix-o')
    assert.equal(status, 400)
    assert.equal(body.error.message, 'The slug or ID prefix "prefix-o" is not unique, please use more characters.')
    for (const text of ['none-such', '%25', 'a%00b', '_'])
      assert.equal((await request('GET', `/projects/${text}`)).status, 404, text)
  })

  it('renames a project and tells the couriers', async () => {
    const { id, path } = await project()
    const heard: string[] = []
    await using _listening = await console.database.listen('postrider_config', (payload) => heard.push(payload))
    const { status, body } = await request('PATCH', path, { name: 'New name' })
    assert.equal(status, 200)
    assert.equal(body.name, 'New name')
    assert.ok(Date.parse(body.updated_at) > Date.parse(body.created_at))
    await waitFor(() => heard.includes(id), { message: 'couriers were not told' })
  })

  it('shows the document over the defaults, without secrets, and the revision as ETag', async () => {
    const { path } = await project({ courier: { smtp: { connection_uri: SMTP }, message_retries: 2 } })
    const { status, body, headers } = await configOf(path)
    assert.equal(status, 200)
    assert.equal(headers.get('etag'), '"1"')
    assert.equal(body.courier.smtp.connection_uri, SHOWN_SMTP)
    assert.equal(body.courier.message_retries, 2)
    assert.equal(body.selfservice.methods.code.config.lifespan, '1h')
    assert.equal(body.postrider.courier.concurrency, 20)
    assert.equal((await configOf('/projects/default')).headers.get('etag'), '"0"')
  })

  it('replaces the document: a new revision, sealed, that couriers are told of', async () => {
    const { id, path } = await project()
    const heard: string[] = []
    await using _listening = await console.database.listen('postrider_config', (payload) => heard.push(payload))
    const { status, body, headers } = await put(path, { courier: { smtp: { connection_uri: SMTP } } })
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body), ['revision', 'identity_config', 'warnings'])
    assert.equal(body.revision, 2)
    assert.equal(headers.get('etag'), '"2"')
    assert.equal(body.identity_config.courier.smtp.connection_uri, SHOWN_SMTP)
    assert.deepEqual(await stored(id), { courier: { smtp: { connection_uri: SMTP } } })
    await waitFor(() => heard.includes(id), { message: 'couriers were not told' })
  })

  it('takes back what it showed: secrets stay, and no revision is made', async () => {
    const { id, path } = await project({
      courier: { smtp: { connection_uri: SMTP }, channels: [{ id: 'sms', request_config: REQUEST }] },
    })
    const before = await stored(id)
    const shown = (await configOf(path)).body
    const { status, body } = await put(path, shown)
    assert.equal(status, 200)
    assert.equal(body.revision, 1)
    shown.courier.message_retries = 9
    assert.equal((await put(path, shown)).body.revision, 2)
    const { courier } = before as { courier: object }
    assert.deepEqual(await stored(id), { courier: { ...courier, message_retries: 9 } })
  })

  it('patches by JSON Patch of either content type', async () => {
    const { id, path } = await project({ courier: { smtp: { connection_uri: SMTP } } })
    const first = await patch(path, [
      { op: 'replace', path: '/courier/message_retries', value: 7 },
      { op: 'add', path: '/courier/channels/-', value: { id: 'sms', request_config: REQUEST } },
    ])
    assert.equal(first.status, 200, JSON.stringify(first.body))
    assert.equal(first.body.revision, 2)
    const typed = await patch(path, [{ op: 'add', path: '/courier/smtp/from_name', value: 'Ada' }], {
      'content-type': 'application/json-patch+json',
    })
    assert.equal(typed.body.revision, 3)
    const request_config = { url: REQUEST.url, headers: REQUEST.headers }
    assert.deepEqual(await stored(id), {
      courier: {
        smtp: { connection_uri: SMTP, from_name: 'Ada' },
        message_retries: 7,
        channels: [{ id: 'sms', request_config }],
      },
    })
    const removed = await patch(path, [{ op: 'remove', path: '/courier/channels/0' }])
    assert.deepEqual(removed.body.identity_config.courier.channels, [])
  })

  it('refuses a patch as a whole, naming the operation', async () => {
    const { path } = await project({ courier: { smtp: { connection_uri: SMTP } } })
    for (const [operations, problem] of [
      [{}, /^body: /],
      [
        [
          { op: 'replace', path: '/courier/message_retries', value: 7 },
          { op: 'remove', path: '/courier/none' },
        ],
        /^body\[1\]: path: \/courier\/none is not there/,
      ],
      [[{ op: 'fly', path: '/courier' }], /^body\[0\]: op: /],
      [[{ op: 'add', path: 'courier', value: 1 }], /^body\[0\]: path: /],
      [[{ op: 'replace', path: '/courier/message_retries' }], /^body\[0\]: value: is missing/],
      [[{ op: 'copy', path: '/courier/x' }], /^body\[0\]: from: /],
      [[{ op: 'add', path: '/courier/toString/call', value: 1 }], /is not there/],
      [[{ op: 'add', path: '/constructor/prototype/x', value: 1 }], /is not there/],
      [[{ op: 'replace', path: '/courier/channels/9', value: 1 }], /is not there/],
      [Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '', path: `/courier/x${index}` })), /too large/],
    ] as const) {
      const { status, body } = await patch(path, operations)
      assert.equal(status, 400, JSON.stringify(operations).slice(0, 100))
      assert.match(body.error.message, problem)
    }
    assert.equal(Object.hasOwn(Object.prototype.toString, 'call'), false)
    assert.equal((await configOf(path)).headers.get('etag'), '"1"')
  })

  it('does not tell a secret to who may only write: neither by test, copy nor another target', async () => {
    const { id, path } = await project({ courier: { smtp: { connection_uri: SMTP } } })
    const uri = '/courier/smtp/connection_uri'
    const answers = [
      await patch(path, [{ op: 'test', path: uri, value: SMTP }]),
      await patch(path, [{ op: 'replace', path: uri, value: `smtps://ada:${MASK}@evil.example:465/` }]),
      await put(path, { courier: { smtp: { connection_uri: `smtp://ada:${MASK}@mail.example.org:465/` } } }),
      await patch(path, [{ op: 'copy', from: uri, path: '/courier/smtp/from_name' }]),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 400, 400, 200],
    )
    for (const { body } of answers.slice(1, 3))
      assert.match(body.error.message, /courier\.smtp\.connection_uri: .*give the secret anew/)
    for (const { body } of answers) assert.equal(JSON.stringify(body).includes(PASSWORD), false)
    const { courier } = (await stored(id)) as { courier: { smtp: object } }
    assert.deepEqual(courier.smtp, { connection_uri: SMTP, from_name: SHOWN_SMTP })
  })

  it('tells every mistake by its key and no secret, and stores nothing', async () => {
    const { path } = await project()
    const { status, body } = await put(path, {
      courier: { message_retries: 'many', smtp: { connection_uri: PASSWORD, headers: { 'X-Key': [TOKEN] } } },
    })
    assert.equal(status, 400)
    const keys = body.error.details.problems.map((line: string) => line.split(': ')[0]).sort()
    assert.deepEqual(keys, ['courier.message_retries', 'courier.smtp.connection_uri', 'courier.smtp.headers.X-Key'])
    assert.equal(JSON.stringify(body).includes('s3c-'), false)
    assert.equal((await put(path, 'text')).status, 400)
    assert.equal((await configOf(path)).headers.get('etag'), '"1"')
  })

  it('refuses headers that no courier would send, naming them and no value, and stores nothing', async () => {
    const { path } = await project()
    const headers = { Bcc: TOKEN, 'content-type': TOKEN, 'X-Break': `${TOKEN}\r\nBcc: b@example.org`, 'X-Good': 'yes' }
    const { status, body } = await put(path, { courier: { smtp: { headers } } })
    assert.equal(status, 400)
    const told: string[] = body.error.details.problems
    assert.deepEqual(
      told.map((line) => /^courier\.smtp\.headers: "([^"]+)"/.exec(line)?.[1]),
      ['Bcc', 'content-type', 'X-Break'],
    )
    assert.equal(JSON.stringify(body).includes('s3c-'), false)
    assert.equal((await configOf(path)).headers.get('etag'), '"1"')
    assert.equal((await put(path, { courier: { smtp: { headers: { 'X-Good': 'yes' } } } })).status, 200)
  })

  it('warns whoever changes the project default that file and environment keep it', async () => {
    const path = '/projects/default'
    const warning = /^default: kept by the operator's file and environment; the next change there replaces this$/m
    const warnings = ({ body }: Answer): string => body.warnings.join('\n')
    await takeOverFile({ courier: { message_retries: 4 } }, console)
    assert.doesNotMatch(warnings(await put(path, { courier: { message_retries: 4 } })), warning)
    assert.match(warnings(await put(path, { courier: { message_retries: 7 } })), warning)
    assert.doesNotMatch(warnings(await put(path, {})), warning)
    const own = (await project({ courier: { message_retries: 4 } })).path
    assert.doesNotMatch(warnings(await put(own, {})), warning)
  })

  it('ignores keys of processes and of Kratos with a warning each', async () => {
    const { id, path } = await project()
    const { status, body } = await put(path, {
      dsn: 'memory',
      serve: { public: {} },
      secrets: { cipher: ['s3c-ciphersecret'] },
      identity: { schemas: [] },
      postrider: { kafka: { brokers: ['k:1'] }, courier: { rate: '5/1s' } },
    })
    assert.equal(status, 200)
    assert.deepEqual(body.warnings.map((text: string) => text.split(': ')[0]).sort(), [
      'dsn',
      'identity',
      'postrider.kafka',
      'secrets',
      'serve',
    ])
    assert.deepEqual(await stored(id), { postrider: { courier: { rate: '5/1s' } } })
  })

  it('warns of a sender that is ignored, of clear text, and of a target without authentication', async () => {
    const { path } = await project()
    const warningsOf = async (courier: unknown): Promise<string> =>
      (await put(path, { courier })).body.warnings.join('\n')
    const sender = await warningsOf({ smtp: { from_address: 'a@example.org', from_name: 'Ada' } })
    assert.match(sender, /courier\.smtp\.from_address: ignored .* "Test \d+ via Postrider"/)
    assert.match(sender, /courier\.smtp\.from_name: ignored/)
    assert.match(
      await warningsOf({ smtp: { connection_uri: 'smtp://m.example/?disable_starttls=true', from_name: 'A' } }),
      /^courier\.smtp\.connection_uri: .*in clear$/,
    )
    const http = await warningsOf({ delivery_strategy: 'http', http: { request_config: { url: 'http://h.example/' } } })
    assert.match(http, /courier\.http\.request_config\.auth: not set/)
    assert.match(http, /courier\.http\.request_config\.url: http:\/\/ sends credentials and codes in clear/)
  })

  it('lets only the project default read files of the server, and only those that the operator named', async () => {
    const { path } = await project()
    const courier = {
      template_override_path: '/etc',
      smtp: { connection_uri: SMTP, client_cert_path: '/a.pem', client_key_path: '/b.pem' },
      channels: [{ id: 'sms', request_config: { ...REQUEST, body: 'file:///etc/passwd' } }],
      templates: { login_code: { valid: { email: { subject: 'FILE:///etc/passwd'.toLowerCase() } } } },
    }
    for (const each of [path, '/projects/default']) {
      const { status, body } = await put(each, { courier })
      assert.equal(status, 400)
      assert.equal(body.error.details.problems.length, 5)
      for (const line of body.error.details.problems) assert.match(line, /file of the server.*base64:\/\//)
    }
    await takeOverFile({ courier }, console)
    assert.equal((await put('/projects/default', { courier: { ...courier, message_retries: 3 } })).status, 200)
    const environment = { login_code: { valid: { email: { subject: 'file:///proc/self/environ' } } } }
    const { status, body } = await put('/projects/default', { courier: { ...courier, templates: environment } })
    assert.equal(status, 400)
    assert.equal(body.error.details.problems.length, 1)
    const tested = await request('POST', '/projects/default/test-connection', {
      identity_config: { courier: { smtp: { ...courier.smtp, client_key_path: '/proc/self/environ' } } },
    })
    assert.equal(tested.status, 400)
    assert.equal((await put('/projects/default', {})).status, 200)
    assert.equal((await put('/projects/default', { courier })).status, 400)
  })

  it('refuses a change that is based on an older revision', async () => {
    const { path } = await project()
    const document = (retries: number) => ({ courier: { message_retries: retries } })
    assert.equal((await put(path, document(1), { 'if-match': '"1"' })).body.revision, 2)
    const late = await put(path, document(2), { 'if-match': '"1"' })
    assert.equal(late.status, 412)
    assert.match(late.body.error.message, /found revision 1, the newest is 2/)
    assert.equal((await patch(path, [], { 'if-match': '"1"' })).status, 412)
    assert.equal((await request('POST', `${path}/rollback`, { revision: 1 }, { 'if-match': '"1"' })).status, 412)
    assert.equal((await put(path, document(3), { 'if-match': 'x' })).status, 400)
    assert.equal((await put(path, document(3), { 'if-match': '*' })).status, 200)
  })

  it('gives each of many writers at once a number of its own, and loses no patch', async () => {
    const { path } = await project()
    const names = Array.from({ length: 12 }, (_, index) => `X-${index}`)
    const answers = await Promise.all(
      names.map((name) => patch(path, [{ op: 'add', path: `/courier/smtp/headers/${name}`, value: 'x' }])),
    )
    const numbers = answers.map(({ body }) => body.revision).sort((a, b) => a - b)
    assert.deepEqual(
      numbers,
      names.map((_, index) => index + 2),
    )
    const { body } = await configOf(path)
    assert.deepEqual(Object.keys(body.courier.smtp.headers).sort(), [...names].sort())
    const guarded = await Promise.all(
      names.map((_, index) => put(path, { courier: { message_retries: 10 + index } }, { 'if-match': '"13"' })),
    )
    assert.deepEqual(guarded.map(({ status }) => status).sort(), [200, ...Array(11).fill(412)])
  })

  it('shows the history, and what a revision changed, without secrets', async () => {
    const { path } = await project({ courier: { smtp: { connection_uri: SMTP } } })
    const author = { 'x-postrider-author': 'grace' }
    await put(path, { courier: { smtp: { connection_uri: SMTP.replace(PASSWORD, TOKEN) } } }, author)
    await put(path, { courier: { message_retries: 8 } })
    const { body: list } = await request('GET', `${path}/revisions`)
    assert.deepEqual(
      list.map((each: Record<string, unknown>) => [each.number, each.author]),
      [
        [3, 'local'],
        [2, 'grace'],
        [1, 'local'],
      ],
    )
    assert.deepEqual(Object.keys(list[0]), ['number', 'author', 'created_at'])
    const { body: second } = await request('GET', `${path}/revisions/2`)
    assert.equal(second.identity_config.courier.smtp.connection_uri, SHOWN_SMTP)
    assert.equal(second.author, 'grace')
    const uri = 'courier.smtp.connection_uri'
    assert.deepEqual((await request('GET', `${path}/revisions/2/diff`)).body, {
      from: 1,
      to: 2,
      changes: [{ path: uri, before: SHOWN_SMTP, after: SHOWN_SMTP }],
    })
    assert.deepEqual((await request('GET', `${path}/revisions/3/diff?from=1`)).body.changes, [
      { path: 'courier.message_retries', before: 5, after: 8 },
      { path: uri, before: SHOWN_SMTP },
    ])
    assert.deepEqual((await request('GET', `${path}/revisions/1/diff`)).body.changes, [
      { path: uri, after: SHOWN_SMTP },
    ])
    for (const missing of ['revisions/9', 'revisions/9/diff', 'revisions/1/diff?from=9'])
      assert.equal((await request('GET', `${path}/${missing}`)).status, 404, missing)
    for (const invalid of ['revisions/x', 'revisions/0', 'revisions/1/diff?from=-1', 'revisions/99999999999'])
      assert.equal((await request('GET', `${path}/${invalid}`)).status, 400, invalid)
  })

  it('rolls back to an earlier revision, with its secrets, as a new one', async () => {
    const { id, path } = await project({ courier: { smtp: { connection_uri: SMTP } } })
    await put(path, { courier: { message_retries: 8 } })
    const { status, body } = await request('POST', `${path}/rollback`, { revision: 1 })
    assert.equal(status, 200)
    assert.equal(body.revision, 3)
    assert.equal(body.identity_config.courier.smtp.connection_uri, SHOWN_SMTP)
    assert.deepEqual(await stored(id), { courier: { smtp: { connection_uri: SMTP } } })
    assert.equal((await request('POST', `${path}/rollback`, { revision: 9 })).status, 404)
    assert.equal((await request('POST', `${path}/rollback`, {})).status, 400)
  })

  it('refuses an author that is no name', async () => {
    const { path } = await project()
    for (const author of ['', 'x'.repeat(65)])
      assert.equal((await put(path, {}, { 'x-postrider-author': author })).status, 400)
  })

  it('replaces a revision that no secret opens any more', async () => {
    const { id, path } = await project()
    await console.database.query({
      text: `insert into config.revision (project_id, number, sealed, author) values ($1, 2, 'not opened here', 'test')`,
      values: [id],
    })
    assert.equal((await put(path, {})).body.revision, 3)
  })

  it('describes every one of its routes', async () => {
    const { body } = await request('GET', '/openapi.json')
    const described = Object.entries(body.paths as Record<string, object>)
      .filter(([path]) => path.startsWith('/projects'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    const served = console.routes
      .filter(({ url }) => url.startsWith('/projects'))
      .flatMap(({ method, url }) => [method].flat().map((each) => `${each} ${url.replace(/:(\w+)/g, '{$1}')}`))
      .filter((route) => !route.startsWith('HEAD '))
    assert.deepEqual(described.sort(), served.sort())
    const refs = [...JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name)
    for (const name of refs) assert.ok(name !== undefined && name in body.components.schemas, name)
  })

  it('refuses Jsonnet that cannot be parsed, with its place, before a mail meets it', async () => {
    const { body: project } = await console.request('POST', '/projects', { name: 'Broken body' })
    const request = (source: string) => ({
      courier: {
        delivery_strategy: 'http',
        http: {
          request_config: {
            url: 'https://mail.example.org',
            body: `base64://${Buffer.from(source).toString('base64')}`,
          },
        },
      },
    })
    const path = `/projects/${project.id}`
    const { status, body } = await put(path, request('function(ctx) {\n  to: ctx.recipient +\n}'))
    assert.equal(status, 400)
    assert.match(
      body.error.message,
      /courier\.http\.request_config\.body: Jsonnet that cannot be parsed at line 3, column 1/,
    )
    assert.equal((await console.request('GET', path)).body.revision, 1)
    assert.equal((await put(path, request('function(ctx) { to: ctx.recipient }'))).status, 200)
  })

  it('warns of an embedded template that does not work', async () => {
    const subject = `base64://${Buffer.from('{{ .Nope ').toString('base64')}`
    const templates = { login_code: { valid: { email: { subject } } } }
    const { body } = await console.request('POST', '/projects', {
      name: 'Broken template',
      identity_config: { courier: { templates } },
    })
    assert.equal(body.revision, 1)
    assert.match(
      body.warnings.join('\n'),
      /courier\.templates\.login_code\.valid\.email\.subject.*built-in part is sent/s,
    )
  })

  it('never logs a secret', () => {
    assert.equal(console.log().includes('s3c-'), false)
  })
})

describe('keys and projects', () => {
  it('lets readers read, asks for configure to write, and signs revisions with the name of the key', async () => {
    await using console = await openConsole({ host: '0.0.0.0', adminKey: 'an-admin-key-of-the-test' })
    const config = '/projects/default/identity-config'
    assert.equal((await console.request('GET', config)).status, 401)
    const admin = { authorization: 'Bearer an-admin-key-of-the-test', 'x-postrider-author': 'somebody else' }
    const { body } = await console.request('PUT', config, { dev: true }, admin)
    assert.equal(body.identity_config.dev, true)
    const [{ author }] = (await console.request('GET', '/projects/default/revisions', undefined, admin)).body
    assert.notEqual(author, 'somebody else')
    assert.ok(author.length > 0)
    const of = (access: string) =>
      console.routes.filter(({ url, config: of }) => url.startsWith('/projects') && of?.access === access)
    assert.deepEqual([...new Set(of('read').flatMap(({ method }) => method))].sort(), ['GET', 'HEAD'])
    assert.deepEqual([...new Set(of('configure').flatMap(({ method }) => method))].sort(), ['PATCH', 'POST', 'PUT'])
    const others = console.routes.filter(
      ({ url, config: of }) => url.startsWith('/projects') && of?.access === undefined,
    )
    assert.deepEqual(others, [])
  })
})
