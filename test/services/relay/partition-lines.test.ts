import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import pino from 'pino'
import { CodedError } from '#libs/errors'
import { topics } from '#libs/messages'
import type { Flight } from '../../../services/relay/flight.ts'
import type { OwnedShard } from '../../../services/relay/owned-shards.ts'
import { openPartitionLines } from '../../../services/relay/partition-lines.ts'

interface PendingSend {
  readonly partition: number
  readonly ids: string[]
  readonly ack: () => void
  readonly fail: (error: Error) => void
}

function setup() {
  const clock = { ms: 1_000 }
  const sends: PendingSend[] = []
  const acked: string[] = []
  const aside: string[] = []
  const lines = openPartitionLines({
    send: (_topic, partition, records) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      sends.push({ partition, ids: records.map(({ key }) => key), ack: resolve, fail: reject })
      return promise
    },
    settler: {
      acked: (flights) => acked.push(...flights.map(({ id }) => id)),
      setAside: ({ id }) => aside.push(id),
      drain: async () => undefined,
    },
    topics: topics(''),
    partitions: 2,
    log: pino({ level: 'silent' }),
    now: () => clock.ms,
    onSent: () => undefined,
    onFailed: () => undefined,
  })
  return { clock, sends, acked, aside, lines }
}

let seq = 0
function flight(id: string, owned: OwnedShard, partition = 0, value = 'v'): Flight {
  const at = ++seq
  owned.flying.add(at)
  const record = { key: id, value, headers: {} }
  return { owned, seq: at, id, lane: 'notice', partition, record, createdMs: 0, traceparent: '', tracestate: null }
}

function shard(leaseEndsAtMs = 6_000): OwnedShard {
  return { shard: 0, fence: 1, leaseEndsAtMs, low: 0, flying: new Set(), draining: false, lost: false }
}

describe('openPartitionLines', () => {
  it('has one send per partition under way, and gathers the rest into the next', async () => {
    const { sends, acked, lines } = setup()
    const owned = shard()
    lines.add(flight('a', owned))
    lines.add(flight('z', owned, 1))
    lines.pump()
    for (const id of ['b', 'c']) lines.add(flight(id, owned))
    lines.pump()
    assert.deepEqual(
      sends.map(({ ids }) => ids),
      [['a'], ['z']],
    )
    sends[0]!.ack()
    await turn()
    assert.deepEqual(sends[2]?.ids, ['b', 'c'])
    assert.deepEqual(acked, ['a'])
  })

  it('starts no send in the last 1.5 s of a lease, and goes on when it is renewed', () => {
    const { clock, sends, lines } = setup()
    const owned = shard(6_000)
    lines.add(flight('a', owned))
    clock.ms = 4_501
    lines.pump()
    assert.equal(sends.length, 0)
    owned.leaseEndsAtMs = 9_000
    lines.pump()
    assert.equal(sends.length, 1)
  })

  it('never sends what was read under a lease that is lost or given back', () => {
    const { sends, lines } = setup()
    const [lost, draining, kept] = [shard(), shard(), shard()]
    for (const [id, owned] of [
      ['a', lost],
      ['b', draining],
      ['c', kept],
    ] as const)
      lines.add(flight(id, owned))
    lost.lost = true
    draining.draining = true
    lines.pump()
    assert.deepEqual(
      sends.map(({ ids }) => ids),
      [['c']],
    )
    assert.deepEqual([draining.flying.size, kept.flying.size], [0, 1])
  })

  it('tries the same rows again first, after 100 ms, doubling to 30 s', async () => {
    const { clock, sends, lines } = setup()
    const owned = shard(Number.POSITIVE_INFINITY)
    lines.add(flight('a', owned))
    const delays: number[] = []
    for (let failure = 0; failure < 12; failure++) {
      lines.pump()
      const failedAtMs = clock.ms
      sends.at(-1)!.fail(new Error('away'))
      await turn()
      lines.add(flight(`later-${failure}`, owned))
      for (const count = sends.length; sends.length === count; lines.pump()) clock.ms += 50
      delays.push(clock.ms - failedAtMs)
      assert.equal(sends.at(-1)?.ids[0], 'a')
    }
    assert.deepEqual(delays, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000])
    assert.equal(lines.isHealthy(), false)
    sends.at(-1)!.ack()
    await turn()
    assert.equal(lines.isHealthy(), true)
  })

  it('sets aside what is refused, and counts the others as written', async () => {
    const { sends, acked, aside, lines } = setup()
    const owned = shard()
    for (const id of ['a', 'b', 'c']) lines.add(flight(id, owned))
    lines.pump()
    sends[0]!.fail(new CodedError('PRODUCE_REFUSED', 'too large', { details: { refused: [1] } }))
    await turn()
    assert.deepEqual([acked, aside, lines.bytes()], [['a', 'c'], ['b'], 0])
  })

  it('bounds a batch by 500 rows and 1 MiB, and sends a larger row alone', async () => {
    const { sends, lines } = setup()
    const owned = shard()
    for (let i = 0; i < 501; i++) lines.add(flight('small', owned))
    for (const id of ['large', 'huge', 'small'])
      lines.add(flight(id, owned, 1, 'x'.repeat(id === 'huge' ? 2 ** 21 : 600_000)))
    lines.pump()
    assert.deepEqual(
      sends.map(({ ids }) => ids.length),
      [500, 1],
    )
    sends[1]!.ack()
    await turn()
    assert.deepEqual(sends[2]?.ids, ['huge'])
  })

  it('drops what waits when it drains, and resolves when nothing is under way', async () => {
    const { sends, acked, lines } = setup()
    const owned = shard()
    lines.add(flight('a', owned))
    lines.pump()
    lines.add(flight('b', owned))
    let isDrained = false
    const drained = lines.drain(60_000).then(() => {
      isDrained = true
    })
    await turn()
    assert.equal(isDrained, false)
    sends[0]!.ack()
    await drained
    assert.deepEqual(acked, ['a'])
    assert.equal(sends.length, 1)
  })
})
