import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import pino from 'pino'
import type { InRecord } from '#libs/bus'
import { type Database, openDatabase } from '#libs/database'
import { messageOf } from '#libs/errors'
import { DEFAULT_PROJECT_ID, type MessageId, topics } from '#libs/messages'
import { applyEntries } from '../../../services/projector/apply-entries.ts'
import { decodeRecord } from '../../../services/projector/decode-record.ts'
import type { Entry, PartitionQueue } from '../../../services/projector/partition-queues.ts'
import { loadOffset } from '../../../services/projector/read-model.ts'
import { testDatabase } from '../../support/servers.ts'
import { messageValue, newId, received, sealer, statusValue, TRACE_ID } from './records.ts'

const TOPICS = topics('')

interface Bundle {
  readonly database: Database
  readonly setAside: { reason: string; offset: number }[]
  /** A queue at its stored offset, as one projector holds it. */
  readonly queue: (topic: string, partition?: number) => Promise<PartitionQueue>
  readonly apply: (entries: readonly Entry[], database?: Pick<Database, 'transaction'>) => Promise<string>
  readonly message: (id: string) => Promise<Record<string, unknown> | undefined>
  readonly dispatches: (id: string) => Promise<Record<string, unknown>[]>
}

async function setup(t: TestContext): Promise<Bundle> {
  const { url } = await testDatabase(t)
  const database = openDatabase({ url, applicationName: 'test' })
  t.after(() => database[Symbol.asyncDispose]())
  const setAside: Bundle['setAside'] = []
  const stopping = new AbortController()
  t.after(() => stopping.abort())
  const rows = async (text: string, id: string) => (await database.query({ text, values: [id] })).rows
  return {
    database,
    setAside,
    queue: async (topic, partition = 0) => {
      const next = await loadOffset(database, topic, partition, 0)
      return { topic, partition, next, last: next - 1, waiting: [], active: true }
    },
    apply: (entries, on = database) =>
      applyEntries(entries, {
        database: on,
        deadLetter: async ({ record }, reason) => void setAside.push({ reason, offset: record.offset }),
        stopping: stopping.signal,
        log: pino({ level: 'silent' }),
      }),
    message: async (id) => (await rows('select * from console.message where id = $1', id))[0],
    dispatches: (id) => rows('select * from console.dispatch where message_id = $1 order by dispatch', id),
  }
}

function entry(queue: PartitionQueue, record: InRecord): Entry {
  try {
    return { queue, record, event: decodeRecord(queue.topic, record, TOPICS), problem: '', receivedAtMs: 0 }
  } catch (error) {
    return { queue, record, event: undefined, problem: messageOf(error), receivedAtMs: 0 }
  }
}

type Written = Parameters<typeof received>[1]

function entries(queue: PartitionQueue, values: readonly Written[]): Entry[] {
  return values.map((value, i) => entry(queue, received(queue.next + i, value)))
}

function story(id: MessageId): { topic: string; value: Written }[] {
  return [
    { topic: TOPICS.messages, value: messageValue(id) },
    { topic: TOPICS.status, value: statusValue(id, 'deferred', 1, { failure_class: 'greylisted', error: 'later' }) },
    { topic: TOPICS.status, value: statusValue(id, 'held', 2, { possibly_delivered: true }) },
    {
      topic: TOPICS.status,
      value: statusValue(id, 'sent', 3, { provider_message_id: 'q3', recipient_domain: 'example.org' }),
    },
    { topic: TOPICS.status, value: statusValue(id, 'bounced', 3) },
  ]
}

describe('applyEntries', () => {
  it('writes what messages and statuses say', async (t) => {
    const { queue, apply, message, dispatches } = await setup(t)
    const id = newId()
    const headers = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` }
    const messages = await queue(TOPICS.messages)
    await apply(entries(messages, [{ ...messageValue(id), headers }]))
    const queued = await message(id)
    assert.equal(queued?.state, 'queued')
    assert.equal(queued?.trace_id, TRACE_ID)
    assert.equal(queued?.recipient_hash, sealer.hmac(DEFAULT_PROJECT_ID, 'ada@example.org'))

    const statuses = await queue(TOPICS.status)
    const retryAt = '2026-01-02T03:05:00.000Z'
    const reply = { code: 451, enhanced: '4.7.1', command: 'RCPT' }
    const durations_ms = { queue: 1, dns: 2, tcp: 3, auth: 4, mail: 5, connect: 9, send: 5, total: 40 }
    const failed = {
      failure_class: 'greylisted',
      error: 'put off: "later"',
      reply,
      next_attempt_at: retryAt,
      durations_ms,
    }
    await apply(entries(statuses, [statusValue(id, 'deferred', 1, failed)]))
    const deferred = await message(id)
    assert.equal(deferred?.state, 'deferred')
    assert.deepEqual(deferred?.next_attempt_at, new Date(retryAt))
    assert.equal(deferred?.error, 'put off: "later"')

    await apply(entries(statuses, [statusValue(id, 'sent', 2, { provider_message_id: 'q2' })]))
    const sent = await message(id)
    assert.equal(sent?.state, 'sent')
    assert.equal(sent?.error, null)
    assert.equal(sent?.dispatch, 2)
    assert.equal(sent?.provider_message_id, 'q2')
    const tries = await dispatches(id)
    assert.deepEqual(
      tries.map(({ dispatch, state, reply_code, enhanced_code, duration_ms }) => [
        dispatch,
        state,
        reply_code,
        enhanced_code,
        duration_ms,
      ]),
      [
        [1, 'deferred', 451, '4.7.1', 14],
        [2, 'sent', null, null, 12],
      ],
    )
    assert.deepEqual(
      tries.map(({ durations, command, worker, next_attempt_at }) => [durations, command, worker, next_attempt_at]),
      [
        [durations_ms, 'RCPT', 'courier-1', new Date(retryAt)],
        [{ send: 12, total: 40 }, null, 'courier-1', null],
      ],
    )
  })

  it('ends in the same rows for any order, any duplicates and any cut into batches', async (t) => {
    const { queue, apply, message, dispatches } = await setup(t)
    const queues = new Map<string, PartitionQueue>()
    for (const topic of [TOPICS.messages, TOPICS.status]) queues.set(topic, await queue(topic))
    const rowsOf = async (id: MessageId) => {
      const { id: _id, sealed: _sealed, ...row } = (await message(id)) ?? {}
      const tries = await dispatches(id)
      return { row, tries: tries.map(({ dispatch, state, created_at }) => ({ dispatch, state, created_at })) }
    }
    const play = async (id: MessageId, order: readonly number[], cuts: readonly number[]) => {
      const events = order.map((i) => story(id)[i]!)
      for (let from = 0, cut = 0; from < events.length; cut++) {
        const batch = events.slice(from, from + (cuts[cut] ?? events.length))
        from += batch.length
        const taken = [...queues.values()].flatMap((each) =>
          entries(
            each,
            batch.filter(({ topic }) => topic === each.topic).map(({ value }) => value),
          ),
        )
        assert.equal(await apply(taken), 'applied')
      }
      return rowsOf(id)
    }
    const expected = await play(newId(), [0, 1, 2, 3, 4], [])
    assert.equal(expected.row.state, 'bounced')
    assert.equal(expected.row.provider_message_id, 'q3')
    assert.equal(expected.tries.length, 3)

    const indexes = fc.constantFrom(0, 1, 2, 3, 4)
    const anyOrder = fc
      .tuple(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), fc.array(indexes, { maxLength: 5 }))
      .chain(([all, more]) => fc.shuffledSubarray([...all, ...more], { minLength: all.length + more.length }))
    const anyCuts = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(anyOrder, anyCuts, async (order, cuts) => {
        assert.deepEqual(await play(newId(), order, cuts), expected)
      }),
      { numRuns: 60 },
    )
  })

  it('applies nothing when the stored offset is elsewhere', async (t) => {
    const { queue, apply, message } = await setup(t)
    const mine = await queue(TOPICS.messages)
    const other = await queue(TOPICS.messages)
    const [first, second] = [newId(), newId()]
    assert.equal(await apply(entries(mine, [messageValue(first)])), 'applied')
    assert.equal(await apply(entries(other, [messageValue(second)])), 'moved')
    assert.equal(await message(second), undefined)
    assert.equal(mine.next, 1)
  })

  it('moves several partitions in one transaction, all or none', async (t) => {
    const { queue, apply, message } = await setup(t)
    const [left, right, stale] = [
      await queue(TOPICS.messages, 0),
      await queue(TOPICS.messages, 1),
      await queue(TOPICS.messages, 1),
    ]
    const ids = [newId(), newId(), newId()] as const
    assert.equal(
      await apply([...entries(left, [messageValue(ids[0])]), ...entries(right, [messageValue(ids[1])])]),
      'applied',
    )
    assert.equal(
      await apply([...entries(left, [messageValue(ids[2])]), ...entries(stale, [messageValue(ids[2])])]),
      'moved',
    )
    assert.equal(await message(ids[2]), undefined)
    assert.equal(await apply(entries(left, [messageValue(ids[2])])), 'applied')
  })

  it('sets an undecodable record aside and goes on behind it', async (t) => {
    const { queue, apply, message, setAside } = await setup(t)
    const statuses = await queue(TOPICS.status)
    const id = newId()
    const broken = { key: 'x', value: 'not json', headers: { ce_type: 'dev.postrider.delivery.sent.v1' } }
    assert.equal(
      await apply(entries(statuses, [broken, statusValue(id, 'sent', 1), { key: 'x', value: null }])),
      'applied',
    )
    assert.equal((await message(id))?.state, 'sent')
    assert.deepEqual(
      setAside.map(({ offset }) => offset),
      [0, 2],
    )
    assert.equal(statuses.next, 3)
  })

  it('finds the one record that cannot be stored and applies all others', async (t) => {
    const { queue, apply, message, setAside } = await setup(t)
    const statuses = await queue(TOPICS.status)
    const ids = Array.from({ length: 9 }, newId)
    const values = ids.map((id, i) => statusValue(id, 'sent', 1, i === 4 ? { project_id: 'no uuid' } : {}))
    assert.equal(await apply(entries(statuses, values)), 'applied')
    assert.equal(setAside.length, 1)
    assert.equal(setAside[0]?.offset, 4)
    assert.match(setAside[0]?.reason ?? '', /22P02/)
    for (const [i, id] of ids.entries()) assert.equal((await message(id))?.state, i === 4 ? undefined : 'sent')
    assert.equal(statuses.next, 9)
  })

  it('waits for a database that is away and then applies', async (t) => {
    const { queue, apply, message, database } = await setup(t)
    const messages = await queue(TOPICS.messages)
    const id = newId()
    let refusals = 2
    const flaky: Pick<Database, 'transaction'> = {
      transaction: (body) => {
        if (refusals-- > 0) return Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))
        return database.transaction(body)
      },
    }
    assert.equal(await apply(entries(messages, [messageValue(id)]), flaky), 'applied')
    assert.equal((await message(id))?.state, 'queued')
  })

  it('keeps both halves when two projectors meet a message at the same time', async (t) => {
    const { queue, apply, message } = await setup(t)
    const [messages, statuses] = [await queue(TOPICS.messages), await queue(TOPICS.status)]
    for (let round = 0; round < 20; round++) {
      const ids = Array.from({ length: 20 }, newId)
      const outcomes = await Promise.all([
        apply(
          entries(
            messages,
            ids.map((id) => messageValue(id)),
          ),
        ),
        apply(
          entries(
            statuses,
            ids.map((id) => statusValue(id, 'sent', 1)),
          ),
        ),
      ])
      assert.deepEqual(outcomes, ['applied', 'applied'])
      for (const id of ids) {
        const row = await message(id)
        assert.equal(row?.state, 'sent')
        assert.equal(row?.facts_from, 'record')
      }
    }
  })

  it('removes the accepted row once the message itself is there, not before', async (t) => {
    const { queue, apply, database } = await setup(t)
    const id = newId()
    await database.query({
      text: `insert into console.accepted (id, project_id, channel, template_type, lane, sealed, recipient_hash, created_at, expires_at)
             values ($1, $2, 'email', 'stub', 'notice', '', '', now(), now())`,
      values: [id, DEFAULT_PROJECT_ID],
    })
    const accepted = async () => (await database.query({ text: 'select from console.accepted' })).rowCount
    await apply(entries(await queue(TOPICS.status), [statusValue(id, 'deferred', 1)]))
    assert.equal(await accepted(), 1)
    await apply(entries(await queue(TOPICS.messages), [messageValue(id)]))
    assert.equal(await accepted(), 0)
  })
})
