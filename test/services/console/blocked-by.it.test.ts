import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openConsole, type TestConsole } from './open-console.ts'

const MESSAGES = '/admin/courier/messages'
const OWN = '00000000-0000-7000-8000-0000000000aa'
const SHARED = {
  class: 'network',
  reply_code: null,
  enhanced_code: null,
  since: '2026-01-02T03:04:05.000Z',
  next_probe_at: '2026-01-02T03:04:10.000Z',
  message: 'nobody answers',
}

describe('blocked_by', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole()
    await run(`insert into config.project (id, slug, name) values ('${OWN}', 'own', 'own')`)
    await run(
      `insert into config.revision (project_id, number, sealed, author) values ('${OWN}', 1, 'not opened here', 'test')`,
    )
    await run(`insert into courier.member (owner) values ('courier-a')`)
  })
  after(() => console[Symbol.asyncDispose]())

  const run = (text: string) => console.database.query({ text })
  const report = (project: string | null, failure: string, exceptFor: readonly string[] = []) =>
    console.database.query({
      text: `insert into courier.channel_report
               (owner, project_id, channel, class, reply_code, message, since, next_probe_at, except_for)
             values ('courier-a', $1, 'email', $2, case when $2 = 'auth' then 535 end, 'nobody answers',
                     '2026-01-02T03:04:05Z', '2026-01-02T03:04:10Z', $3)`,
      values: [project, failure, exceptFor],
    })
  const post = async (project = 'default'): Promise<string> => {
    const message = { recipient: 'ada@example.org', template_type: 'stub', template_data: { subject: 's', body: 'b' } }
    return (await console.request('POST', MESSAGES, { ...message, project })).body.id
  }
  /** Projects the message into `state`. */
  const project = (id: string, state: string) =>
    console.database.query({
      text: `insert into console.message (id, project_id, channel, template_type, lane, facts_from, created_at, expires_at, updated_at, state)
             select id, project_id, channel, template_type, lane, 'record', created_at, expires_at, created_at, $2 from console.accepted where id = $1
             on conflict (id) do update set state = excluded.state`,
      values: [id, state],
    })
  const shown = async (id: string) => (await console.request('GET', `${MESSAGES}/${id}`)).body.blocked_by
  const clear = () => run('delete from courier.channel_report')

  it('is null while the channel works', async () => {
    assert.equal(await shown(await post()), null)
  })

  it('tells why a message waits, as long as it waits', async () => {
    await clear()
    const id = await post()
    await report(null, 'network')
    assert.deepEqual(await shown(id), SHARED)
    for (const [state, expected] of [
      ['deferred', SHARED],
      ['sent', null],
      ['abandoned', null],
      ['held', null],
      ['queued', SHARED],
    ] as const) {
      await project(id, state)
      assert.deepEqual(await shown(id), expected, state)
    }
  })

  it('tells each project of the channel that takes its mail, also in a list', async () => {
    await clear()
    await report(OWN, 'auth')
    const own = [await post('own'), await post('own')]
    const others = [await post(), await post()]
    const { body } = await console.request('GET', `${MESSAGES}?page_size=50`)
    const found = new Map(body.map((each: { id: string; blocked_by: unknown }) => [each.id, each.blocked_by]))
    for (const id of own) assert.deepEqual(found.get(id), { ...SHARED, class: 'auth', reply_code: 535 })
    for (const id of others) assert.equal(found.get(id), null)
  })

  it('counts the channel of the operator for a project unless that has a channel of its own', async () => {
    await clear()
    await report(null, 'network')
    assert.deepEqual(await shown(await post('own')), SHARED)
    await clear()
    await report(null, 'network', [OWN])
    assert.equal(await shown(await post('own')), null)
    assert.deepEqual(await shown(await post()), SHARED)
  })

  it('is described', async () => {
    const { body } = await console.request('GET', '/openapi.json')
    assert.deepEqual(Object.keys(body.components.schemas.blockage.properties).sort(), Object.keys(SHARED).sort())
    assert.equal(body.components.schemas.message.properties.blocked_by.oneOf[0].$ref, '#/components/schemas/blockage')
  })
})
