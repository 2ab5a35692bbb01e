import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { StatusEvent } from '#libs/messages'
import { type Concluder, openConcluder } from '../../../services/courier/conclude-tries.ts'
import type { Delivery } from '../../../services/courier/delivery.ts'
import type { Concluded, Conclusion, LedgerEntry } from '../../../services/courier/lease-ledger.ts'
import { DONE, type LedgerState, SENDING } from '../../../services/courier/ledger-state.ts'
import { openBuildEvent } from '../../../services/courier/status-of-try.ts'
import { failedBeforeSend, type TryResult } from '../../../services/courier/try-result.ts'
import {
  attemptOf,
  claimedDelivery,
  failedAttempt,
  memoryChannel,
  memoryStream,
  sealer,
  selected,
  silent,
  turn,
} from './deliveries.ts'

const AWAY = Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' })
const REFUSED = Object.assign(new Error('permission denied'), { code: '42501' })
const POLICY = { maxAttempts: 3, scheduleMs: [5_000], onUnknown: 'resend' as const }

interface Published {
  readonly event: StatusEvent
  readonly delivery: Delivery
  readonly outboxId: number | null
}

/** A ledger that says yes, until a test changes its answer. */
function memoryLedger() {
  const batches: (readonly Conclusion[])[] = []
  const entries: LedgerEntry[] = []
  const ledger = {
    batches,
    entries,
    answer: async (items: readonly Conclusion[]): Promise<Concluded[]> =>
      items.map(({ id, dispatch }) => ({ id, dispatch, outboxId: null })),
    conclude: (items: readonly Conclusion[]) => {
      batches.push(items)
      return ledger.answer(items)
    },
    lookUp: async (ids: readonly string[]) => entries.filter(({ id }) => ids.includes(id)),
  }
  return ledger
}

function setup(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const ledger = memoryLedger()
  const published: Published[] = []
  const counted: string[] = []
  const concluder: Concluder = openConcluder({
    ledger,
    publisher: { publish: (event, delivery, outboxId) => void published.push({ event, delivery, outboxId }) },
    policyOf: () => POLICY,
    buildEvent: openBuildEvent({ sealer, worker: 'w', maxAttemptsOf: () => 3, providerOf: () => undefined }),
    metrics: {
      concluded: ({ data }) => void counted.push(data.status),
      lateFinish: () => void counted.push('late'),
    },
    tracing: { spansOf: () => undefined },
    log: silent,
  })
  const stream = memoryStream()
  const delivery = (more: Partial<Delivery> = {}) => claimedDelivery(more, stream)
  return { ledger, published, counted, concluder, stream, delivery }
}

function tried(more: Partial<TryResult> = {}): TryResult {
  return { attempt: attemptOf(), failure: undefined, subject: 'Hello', domain: undefined, renderMs: 1, ...more }
}

function refusedBy(failureClass: Parameters<typeof failedBeforeSend>[0]): TryResult {
  const attempt = failedAttempt({ class: failureClass, message: 'no' })
  return tried({ attempt, failure: attempt.failure })
}

function entryOf(conclusion: Conclusion, state: LedgerState, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return { id: conclusion.id, dispatch: conclusion.dispatch, state, handedOver: false, event: null, ...more }
}

describe('openConcluder', () => {
  it('writes one conclusion at once, and publishes it only when it is durable', async (t) => {
    const { ledger, published, counted, concluder, delivery } = setup(t)
    const gate = Promise.withResolvers<void>()
    const { answer } = ledger
    ledger.answer = (items) => gate.promise.then(() => answer(items))
    const sent = delivery()
    concluder.conclude(sent, tried())
    assert.equal(ledger.batches.length, 1)
    await turn()
    assert.deepEqual([published.length, concluder.pending()], [0, 1])
    gate.resolve()
    await turn()
    assert.deepEqual([published[0]?.delivery, published[0]?.event.data.status], [sent, 'sent'])
    assert.deepEqual([counted, concluder.pending(), sent.stage], [['sent'], 0, 'done'])
  })

  it('gathers what ends while a batch is being written into the next one, in the order of ids', async (t) => {
    const { ledger, published, concluder, delivery } = setup(t)
    const all = Array.from({ length: 6 }, () => delivery())
    for (const each of [all[0]!, ...all.slice(1).reverse()]) concluder.conclude(each, tried())
    await turn()
    t.mock.timers.tick(3)
    await turn()
    assert.deepEqual(
      ledger.batches.map((batch) => batch.map(({ id }) => id)),
      [[all[0]!.record.id], all.slice(1).map(({ record }) => record.id)],
    )
    assert.equal(published.length, 6)
  })

  it('makes urgent mail due at once where the next provider has not tried it, and never where a copy may exist', async (t) => {
    const { ledger, concluder, delivery } = setup(t)
    const next = selected(memoryChannel(), { key: 'email.next' })
    const via = selected(memoryChannel(), { next })
    const startedAt = Date.now()
    for (const result of [refusedBy('transient_remote'), refusedBy('ambiguous')]) {
      concluder.conclude(delivery({ via }), result)
      await turn()
    }
    concluder.conclude(delivery({ via: next }), refusedBy('transient_remote'))
    const delays = ledger.batches
      .flat()
      .map(({ state, dueAt }) => [state, (dueAt?.getTime() ?? 0) - startedAt >= 5_000])
    assert.deepEqual(delays, [
      ['waiting', false],
      ['waiting', true],
      ['waiting', true],
    ])
  })

  it('waits at most 5 ms for company, and not at all for more than 100', async (t) => {
    const { ledger, concluder, delivery } = setup(t)
    for (let i = 0; i < 3; i++) concluder.conclude(delivery(), tried())
    await turn()
    t.mock.timers.tick(5)
    await turn()
    assert.deepEqual(
      ledger.batches.map(({ length }) => length),
      [1, 2],
    )
    for (let i = 0; i < 100; i++) concluder.conclude(delivery(), tried())
    assert.equal(ledger.batches.at(-1)?.length, 100)
  })

  it('keeps what was sent in memory while the database is away, and writes it when it is back', async (t) => {
    const { ledger, published, concluder, delivery } = setup(t)
    const { answer } = ledger
    ledger.answer = () => Promise.reject(AWAY)
    const deliveries = [delivery(), delivery(), delivery()]
    for (const each of deliveries) concluder.conclude(each, tried())
    for (let i = 0; i < 10; i++) {
      await turn()
      t.mock.timers.tick(500)
    }
    await turn()
    assert.deepEqual([published.length, concluder.pending()], [0, 3])
    assert.ok(ledger.batches.length < 40, `${ledger.batches.length} trials in 5 s`)
    ledger.answer = answer
    for (let i = 0; i < 3; i++) {
      t.mock.timers.tick(500)
      await turn()
    }
    assert.deepEqual(new Set(published.map((each) => each.delivery)), new Set(deliveries))
    assert.deepEqual([published.length, concluder.pending()], [3, 0])
  })

  it('publishes what was written although the answer was lost', async (t) => {
    const { ledger, published, counted, concluder, delivery } = setup(t)
    ledger.answer = async (items) => {
      for (const item of items) ledger.entries.push(entryOf(item, DONE, { event: item.event }))
      ledger.answer = async () => []
      throw AWAY
    }
    concluder.conclude(delivery(), tried())
    await turn()
    assert.equal(published.length, 0)
    t.mock.timers.tick(500)
    await turn()
    assert.deepEqual([published.length, published[0]?.outboxId, counted], [1, null, ['sent']])
  })

  it('counts a late finish, publishes nothing and lets the offset go: someone else reports the message', async (t) => {
    const { ledger, published, counted, concluder, stream, delivery } = setup(t)
    ledger.answer = async (items) => {
      for (const item of items) ledger.entries.push(entryOf(item, SENDING, { dispatch: item.dispatch + 1 }))
      return []
    }
    const late = delivery()
    concluder.conclude(late, tried())
    await turn()
    assert.deepEqual([published.length, counted, stream.finished], [0, ['late'], [late]])
  })

  it('holds on to a conclusion that the database refuses: the message stays open, the others are published', async (t) => {
    const { ledger, published, counted, concluder, stream, delivery } = setup(t)
    const { answer } = ledger
    const culprit = delivery()
    concluder.conclude(delivery(), tried())
    ledger.answer = async (items) => {
      if (!items.some(({ id }) => id === culprit.record.id)) return answer(items)
      ledger.entries.push(entryOf(items.find(({ id }) => id === culprit.record.id)!, SENDING))
      throw REFUSED
    }
    concluder.conclude(culprit, tried())
    concluder.conclude(delivery(), tried())
    await turn()
    t.mock.timers.tick(3)
    await turn(10)
    assert.deepEqual([published.length, counted.includes('late'), concluder.pending()], [2, false, 1])
    assert.ok(stream.open.has(culprit))
    ledger.answer = answer
    t.mock.timers.tick(500)
    await turn()
    assert.deepEqual([published.at(-1)?.delivery, concluder.pending()], [culprit, 0])
  })

  it('passes on the row of the event outbox', async (t) => {
    const { ledger, published, concluder, delivery } = setup(t)
    ledger.answer = async (items) => items.map(({ id, dispatch }) => ({ id, dispatch, outboxId: 17 }))
    concluder.conclude(delivery(), tried())
    await turn()
    assert.equal(published[0]?.outboxId, 17)
  })

  it('drains: resolves when everything is durable, or at the deadline', async (t) => {
    const { ledger, concluder, delivery } = setup(t)
    await concluder.drain(1_000)
    const { answer } = ledger
    ledger.answer = () => Promise.reject(AWAY)
    concluder.conclude(delivery(), tried())
    const short = concluder.drain(100)
    await turn()
    t.mock.timers.tick(100)
    await short
    assert.equal(concluder.pending(), 1)
    ledger.answer = answer
    const long = concluder.drain(10_000)
    t.mock.timers.tick(500)
    await long
    assert.equal(concluder.pending(), 0)
  })

  const cases: [what: string, result: () => TryResult, more: Partial<Delivery>, expected: Partial<Conclusion>][] = [
    ['accepted mail', tried, {}, { state: 'done', charged: 1, unknowns: 0 }],
    ['greylisting', () => refusedBy('greylisted'), {}, { state: 'waiting', charged: 1 }],
    ['a network failure, at no charge,', () => refusedBy('network'), { charged: 1 }, { state: 'waiting', charged: 1 }],
    ['the last charged attempt', () => refusedBy('transient_remote'), { charged: 2 }, { state: 'done', charged: 3 }],
    ['a refused recipient', () => refusedBy('permanent_recipient'), {}, { state: 'done', charged: 1 }],
    ['a first unknown outcome', () => refusedBy('ambiguous'), {}, { state: 'waiting', unknowns: 1 }],
    ['a second unknown outcome', () => refusedBy('ambiguous'), { unknowns: 1 }, { state: 'held', unknowns: 2 }],
    ['a message that expired unsent', () => failedBeforeSend('expired', 'late'), {}, { state: 'done', charged: 0 }],
  ]
  for (const [what, result, more, expected] of cases) {
    it(`writes ${what} as ${expected.state}`, async (t) => {
      const { ledger, concluder, delivery } = setup(t)
      const one = delivery(more)
      concluder.conclude(one, result())
      const conclusion = ledger.batches[0]?.[0]
      assert.ok(conclusion)
      assert.deepEqual({ ...conclusion, ...expected }, conclusion)
      const isKept = expected.state !== 'done'
      assert.equal(conclusion.payload !== null, isKept)
      assert.equal(conclusion.dueAt !== null, isKept)
      if (expected.state === 'held') assert.equal(conclusion.dueAt?.getTime(), one.expiresAtMs)
    })
  }
})
