import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { takeRows } from '../../../../services/relay/kratos/take-rows.ts'
import { confirmForeign, writeBack } from '../../../../services/relay/kratos/write-back.ts'
import { memoryKafka } from '../open-relay.ts'
import { openSource, publishedIds, type Source, takePorts } from './sources.ts'
import { statusOf } from './statuses.ts'

/** Rows that were taken. @returns message ids by Kratos' id */
async function setup(t: TestContext, count: number): Promise<{ source: Source; ids: [string, string][] }> {
  const source = await openSource(t)
  await source.kratos.add(Array.from({ length: count }, () => ({})))
  const kafka = memoryKafka()
  await takeRows(await takePorts(t, source, kafka), 500)
  return { source, ids: [...publishedIds(kafka.log)].map(([id, [messageId]]) => [id, messageId!]) }
}

describe('writeBack', () => {
  it('writes status, count and dispatches as Kratos has them, and never touches updated_at', async (t) => {
    const { source, ids } = await setup(t, 2)
    const [[sentId, sent], [, failed]] = ids as [[string, string], [string, string]]
    await writeBack(source.database, [
      statusOf(sent, 1, 'deferred', { error: 'try later' }),
      statusOf(failed, 1, 'abandoned', { error: 'no such mailbox' }),
      statusOf(sent, 2, 'sent'),
    ])
    const rows = await source.kratos.messages()
    const row = rows.find(({ id }) => id === sentId)!
    assert.deepEqual([row.status, row.send_count, row.is_touched], [2, 2, false])
    assert.deepEqual(
      row.dispatches.map(({ status, error }) => [status, error?.message ?? null]),
      [
        ['failed', 'try later'],
        ['success', null],
      ],
    )
    assert.deepEqual(rows.map(({ status }) => status).sort(), [2, 4])
    const { rows: written } = await source.database.query<{ error: string; at: Date }>({
      text: `select error::text, created_at at time zone 'UTC' as at from courier_message_dispatches where status = 'success'`,
    })
    assert.deepEqual(written, [{ error: 'null', at: new Date('2030-01-31T12:00:02Z') }])
  })

  it('changes not one row when everything comes again, in any order', async (t) => {
    const { source, ids } = await setup(t, 5)
    const events = ids.flatMap(([, id], index) => [
      statusOf(id, 1, 'deferred'),
      statusOf(id, 2, index % 2 === 0 ? 'sent' : 'expired'),
    ])
    await writeBack(source.database, events)
    const before = await source.kratos.messages()
    for (const again of [events, events.toReversed(), events.slice(3), [...events, ...events]])
      await writeBack(source.database, again)
    assert.deepEqual(await source.kratos.messages(), before)
  })

  it('waits for the relay that is still publishing, and has the last word', async (t) => {
    const source = await openSource(t)
    await source.kratos.add([{}])
    const kafka = memoryKafka()
    const written = Promise.withResolvers<unknown>()
    const ports = await takePorts(t, source, {
      send: async (...given) => {
        await kafka.send(...given)
        const [[id]] = [...publishedIds(kafka.log).values()] as [[string]]
        // The courier is faster than this relay's commit.
        written.resolve(writeBack(source.database, [statusOf(id, 1, 'sent')]))
      },
    })
    await takeRows(ports, 500)
    await written.promise
    assert.deepEqual(
      (await source.kratos.messages()).map(({ status }) => status),
      [2],
    )
  })

  it('passes over what is of other sources, and rows that were deleted', async (t) => {
    const { source, ids } = await setup(t, 1)
    const [[kratosId, id]] = ids as [[string, string]]
    const foreign = await writeBack(source.database, [statusOf('019c13f2-7e00-7000-8000-000000000001', 1, 'sent')])
    assert.deepEqual(foreign, { events: [], foreign: [] })
    await source.database.query({ text: 'delete from courier_messages where id = $1', values: [kratosId] })
    await writeBack(source.database, [statusOf(id, 1, 'sent')])
    const { rows } = await source.database.query({
      text: 'select (select count(*) from courier_messages) as rows, (select count(*) from courier_message_dispatches) as dispatches',
    })
    assert.deepEqual(rows, [{ rows: 0, dispatches: 0 }])
  })

  it('tells of rows that somebody else changed, and still writes what is true', async (t) => {
    const { source, ids } = await setup(t, 1)
    const [[kratosId, id]] = ids as [[string, string]]
    await source.database.query({ text: 'update courier_messages set status = 4, send_count = 6' })
    const { foreign } = await writeBack(source.database, [statusOf(id, 1, 'sent')])
    assert.deepEqual(foreign, [kratosId])
    assert.deepEqual(
      (await source.kratos.messages()).map(({ status, send_count }) => [status, send_count]),
      [[2, 6]],
    )
    assert.deepEqual(await confirmForeign(source.database, new Map([[id, kratosId]])), [])
  })
})
