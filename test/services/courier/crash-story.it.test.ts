import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { Outcome } from '#libs/delivery'
import { newDelivery } from '../../../services/courier/delivery.ts'
import { type Conclusion, type LeaseLedger, openLeaseLedger } from '../../../services/courier/lease-ledger.ts'
import { deliveryOf, memoryProducer, turn } from './deliveries.ts'
import { type Ledgers, openLedgers } from './ledgers.ts'
import { type Dot, type Fault, openStoryCourier, STORY_LEASE_MS, type StoryCourier } from './story-courier.ts'

const HOUR_S = 3_600
const MESSAGES = 4

type Step =
  | {
      readonly kind: 'effect'
      readonly who: number
      readonly pick: number
      readonly fault: Fault
      readonly outcome: Outcome
    }
  | { readonly kind: 'deliver' | 'rebalance' | 'hand over' | 'retry' | 'sweep' | 'time'; readonly who: number }

const who = fc.nat(1)
const fault = fc.oneof(
  { weight: 14, arbitrary: fc.constant<Fault>('none') },
  { weight: 4, arbitrary: fc.constantFrom<Fault>('killed before', 'killed after', 'answer lost', 'refused') },
)
const outcome = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Outcome>('accepted') },
  { weight: 2, arbitrary: fc.constantFrom<Outcome>('failed', 'unknown') },
)
const effect = fc.record({ kind: fc.constant('effect' as const), who, pick: fc.nat(9), fault, outcome })
const move = fc.record({
  kind: fc.constantFrom('deliver', 'deliver', 'rebalance', 'hand over', 'retry', 'sweep', 'time' as const),
  who,
})
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof<[fc.MaybeWeightedArbitrary<Step>, fc.MaybeWeightedArbitrary<Step>]>(
    { weight: 3, arbitrary: effect },
    { weight: 1, arbitrary: move },
  ),
  { minLength: 10, maxLength: 90 },
)

/** A partition of four messages, two couriers, and the books about what they did. */
async function openStory(t: TestContext, { database, ledger: ledgerOf, silence }: Ledgers, run: number) {
  await database.query({ text: 'truncate courier.ledger, courier.event_outbox, courier.member cascade' })
  const records = Array.from({ length: MESSAGES }, () => deliveryOf())
  const producer = memoryProducer()
  const dots: Dot[] = []
  /** Conclusions that the ledger has. */
  const durable = new Set<string>()
  const couriers: StoryCourier[] = []
  let started = 0
  let committed = 0
  let position = 0
  let owner: StoryCourier | undefined

  async function start(slot: number): Promise<void> {
    const name = `story-${run}-${++started}`
    const ledger = noting(openLeaseLedger(database, name, STORY_LEASE_MS), durable)
    await ledger.heartbeat()
    await silence(name, -HOUR_S) // alive for as long as the test takes
    couriers[slot] = openStoryCourier(name, {
      ledger,
      producer,
      onDot: (dot) => dots.push(dot),
      commit: (courier, offset) => {
        if (courier === owner) committed = Math.max(committed, offset)
      },
    })
  }

  function assign(slot: number): void {
    owner?.revoke()
    owner = couriers[slot]
    position = committed
    owner?.assign(committed)
  }

  function deliver(): void {
    const record = records[position]
    if (record === undefined || owner === undefined) return
    const offset = position++
    owner.receive((stream, epoch) => newDelivery(record.record, record, { stream, partition: 0, offset, epoch }))
  }

  /** The dead are noticed and replaced; what is due, and what nobody published, shows. */
  async function pass(): Promise<void> {
    for (const [slot, courier] of couriers.entries()) {
      if (!courier.isDead) continue
      await silence(courier.owner, HOUR_S + 60)
      await start(slot)
      if (courier === owner) assign(slot)
    }
    await ledgerOf('watcher').releaseDead()
    await database.query({ text: 'update courier.ledger set due_at = now() where state = 2 and due_at > now()' })
    await database.query({ text: `update courier.event_outbox set created_at = created_at - interval '1 minute'` })
    t.mock.timers.tick(1_000)
  }

  async function take(step: Step): Promise<void> {
    const courier = couriers[step.who]
    if (courier === undefined) return
    if (step.kind === 'time') await pass()
    else if (step.kind === 'rebalance') assign(step.who)
    else if (step.kind === 'deliver') deliver()
    else if (courier.isDead) return
    else if (step.kind === 'effect') await courier.step(step.pick, step.fault, step.outcome)
    else start1(courier, step.kind)
    await turn()
  }

  await start(0)
  await start(1)
  assign(0)
  return { records, producer, dots, durable, couriers, take, pass, committed: () => committed }
}

/** Begins what waits for its first effect; an answer that is lost is tried again later, as the courier's loops do. */
function start1(courier: StoryCourier, kind: 'hand over' | 'retry' | 'sweep'): void {
  const begun = kind === 'hand over' ? courier.handOver() : kind === 'retry' ? courier.retryDue() : courier.sweep()
  begun.catch(() => undefined)
}

function noting(ledger: LeaseLedger, durable: Set<string>): LeaseLedger {
  return {
    ...ledger,
    conclude: async (items: readonly Conclusion[]) => {
      const written = await ledger.conclude(items)
      for (const { id, dispatch } of written) durable.add(`${id} ${dispatch}`)
      return written
    },
  }
}

type Story = Awaited<ReturnType<typeof openStory>>

/** Everything below the committed offset is done and told, or the ledger has it. */
async function checkCommitted({ records, producer, committed }: Story, { row }: Ledgers): Promise<void> {
  for (const { record } of records.slice(0, committed())) {
    const found = await row(record.id)
    const isTold = producer.events.some(({ data }) => data.message_id === record.id && data.terminal)
    assert.ok(found?.handed_over || (found?.state === 4 && isTold), 'an offset was committed past an open message')
  }
}

/** After many rounds nobody is at work: what is leased still was claimed by a courier that never got the answer. */
async function endLeases({ database }: Ledgers): Promise<void> {
  await database.query({
    text: `update courier.ledger set lease_until = now() - interval '1 s', due_at = due_at - interval '2 days' where state = 1`,
  })
}

/** From here on nothing fails: does everything come to its end? */
async function finish(story: Story, ledgers: Ledgers): Promise<void> {
  const isOver = async (): Promise<boolean> => {
    if (story.committed() < MESSAGES) return false
    const { rows } = await ledgers.database.query({ text: 'select from courier.ledger where state not in (3, 4)' })
    return rows.length === 0 && (await ledgers.outbox()).length === 0
  }
  for (let round = 0; round < 200; round++) {
    if (await isOver()) return
    await story.pass()
    for (const kind of ['deliver', 'retry', 'sweep'] as const) {
      for (const slot of [0, 1]) await story.take({ kind, who: slot })
    }
    for (const [slot, courier] of story.couriers.entries()) {
      while (courier.gates.length > 0)
        await story.take({ kind: 'effect', who: slot, pick: 0, fault: 'none', outcome: 'accepted' })
    }
    if (round % 20 === 19) await endLeases(ledgers)
  }
  assert.fail(`messages are stuck; committed is ${story.committed()}`)
}

async function checkEnd({ records, producer, dots, durable }: Story, { row }: Ledgers): Promise<void> {
  for (const { record } of records) {
    const ofMessage = producer.events.filter(({ data }) => data.message_id === record.id)
    const ends = new Set(ofMessage.filter(({ data }) => data.terminal).map(({ id }) => id))
    const found = await row(record.id)
    if (found?.state === 3) assert.ok(ends.size === 0 && found.due_at !== null, 'a held message waits for its end')
    else assert.equal(ends.size, 1, `${ends.size} terminal states`)

    const sent = dots.filter(({ id }) => id === record.id)
    if (ofMessage.some(({ data }) => data.status === 'sent')) assert.ok(sent.some((dot) => dot.outcome === 'accepted'))
    for (const { dispatch, outcome: answer, courier } of sent.slice(0, -1)) {
      const isExcused = answer === 'unknown' || (courier.isDead && !durable.has(`${record.id} ${dispatch}`))
      assert.ok(isExcused, 'a mail was sent twice although its first outcome was known and durable')
    }
  }
}

describe('the courier', () => {
  it('loses nothing and repeats nothing, wherever it is killed', { timeout: 300_000 }, async (t) => {
    const ledgers = await openLedgers(t)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let run = 0
    const seen = { twice: 0, killed: 0 }
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const story = await openStory(t, ledgers, ++run)
        for (const step of plan) {
          await story.take(step)
          await checkCommitted(story, ledgers)
        }
        await finish(story, ledgers)
        await checkCommitted(story, ledgers)
        await checkEnd(story, ledgers)
        seen.killed += plan.filter((step) => step.kind === 'effect' && step.fault.startsWith('killed')).length
        if (new Set(story.dots.map(({ id }) => id)).size < story.dots.length) seen.twice += 1
      }),
      { numRuns: 60 },
    )
    assert.ok(seen.killed > 20 && seen.twice > 0, `the stories were too tame: ${JSON.stringify(seen)}`)
  })
})
