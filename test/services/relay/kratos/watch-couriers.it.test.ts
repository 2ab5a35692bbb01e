import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import pino from 'pino'
import { takeRows } from '../../../../services/relay/kratos/take-rows.ts'
import { openCourierWatch } from '../../../../services/relay/kratos/watch-couriers.ts'
import { writeBack } from '../../../../services/relay/kratos/write-back.ts'
import { memoryKafka } from '../open-relay.ts'
import { openSource, publishedIds, takePorts } from './sources.ts'
import { statusOf } from './statuses.ts'

async function setup(t: TestContext) {
  const source = await openSource(t)
  const alarms: string[] = []
  let nowMs = 0
  let found = 0
  const watch = openCourierWatch({
    database: source.database,
    log: pino({ level: 'error' }, { write: (line) => void alarms.push(JSON.parse(line).msg) }),
    onFound: (count) => {
      found += count
    },
    now: () => nowMs,
  })
  const kafka = memoryKafka()
  const ports = await takePorts(t, source, kafka)
  return {
    ...source,
    watch,
    alarms,
    take: async () => {
      await takeRows(ports, 500)
      return publishedIds(kafka.log)
    },
    found: () => found,
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}

describe('openCourierWatch', () => {
  it('is silent about what relays do, and about rows that were handled before it began', async (t) => {
    const { watch, kratos, database, take, found } = await setup(t)
    await kratos.add([{ status: 2 }, { status: 3 }, { status: 4 }])
    await watch.look(true)
    const [requeued, ...others] = await kratos.add([{}, {}, {}])
    const ids = await take()
    await watch.look(true)
    await writeBack(database, [statusOf(ids.get(requeued!)![0]!, 1, 'abandoned')])
    await writeBack(database, [statusOf(ids.get(others[0]!)![0]!, 2, 'sent')])
    await watch.look(true)
    await kratos.setStatus(requeued!, 1)
    await watch.look(true)
    await take()
    await watch.look(true)
    assert.deepEqual([found(), watch.problem()], [0, undefined])
  })

  for (const [what, statement] of [
    ['counts a try', 'update courier_messages set send_count = send_count + 1 where id = $1'],
    ['sends', 'update courier_messages set status = 2 where id = $1'],
    ['gives up', 'update courier_messages set status = 4 where id = $1'],
  ] as const) {
    it(`raises the alarm once where another courier ${what} what is ours, and says what to do`, async (t) => {
      const { watch, kratos, database, take, alarms, found, pass } = await setup(t)
      await watch.look(true)
      const [id] = await kratos.add([{}])
      await take()
      await database.query({ text: statement, values: [id] })
      await watch.look(true)
      await watch.look(true)
      assert.equal(found(), 1)
      assert.equal(alarms.length, 1)
      assert.match(alarms[0]!, /another courier is running.*--watch-courier.*kratos courier watch/)
      assert.equal(watch.problem(), alarms[0])
      pass(6 * 60_000)
      assert.equal(watch.problem(), undefined)
    })
  }

  it('raises the alarm for new rows that were handled past every relay, once for each', async (t) => {
    const { watch, kratos, found } = await setup(t)
    await watch.look(true)
    const [id] = await kratos.add([{}])
    await watch.look(true)
    assert.equal(found(), 0)
    await kratos.setStatus(id!, 3)
    await watch.look(true)
    await watch.look(true)
    assert.equal(found(), 1)
    await kratos.setStatus((await kratos.add([{}]))[0]!, 2)
    await watch.look(true)
    assert.equal(found(), 2)
  })

  it('lets another courier have new rows while the source is drained, but not what is still under way', async (t) => {
    const { watch, kratos, database, take, found } = await setup(t)
    await watch.look(true)
    const [underWay] = await kratos.add([{}])
    await take()
    await watch.look(false)
    await kratos.add([{ status: 2 }])
    await watch.look(false)
    await watch.look(true)
    assert.equal(found(), 0)
    await database.query({ text: 'update courier_messages set status = 2 where id = $1', values: [underWay] })
    await watch.look(false)
    assert.equal(found(), 1)
  })
})
