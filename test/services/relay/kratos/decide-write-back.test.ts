import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { EventState } from '#libs/messages'
import {
  decideWriteBack,
  type Known,
  type KratosRow,
  type WriteBack,
} from '../../../../services/relay/kratos/decide-write-back.ts'
import { statusOf } from './statuses.ts'

const ID = '019c13f2-7e00-7000-8000-000000000001'
const TAKEN: KratosRow = { status: 3, sendCount: 0 }

function known(more: Partial<Known> = {}): Known {
  return {
    messageId: ID,
    kratosId: '2f1c1a52-7d6e-4a3c-9e55-0c6b1f0f3a11',
    nid: '00000000-0000-4000-8000-000000000001',
    isLatest: true,
    baseCount: 0,
    writtenCount: 0,
    status: 3,
    position: 0,
    endedAt: null,
    isChangedByOthers: false,
    ...more,
  }
}

describe('decideWriteBack', () => {
  for (const [state, status] of [
    ['deferred', 3],
    ['held', 3],
    ['sent', 2],
    ['abandoned', 4],
    ['expired', 4],
    ['suppressed', 4],
    ['superseded', 4],
    ['cancelled', 4],
  ] as const) {
    it(`makes ${state} the status ${status}`, () => {
      const { row, known: after, dispatches } = decideWriteBack(known(), TAKEN, [statusOf(ID, 1, state)])
      assert.equal(row?.status, status)
      assert.equal(after.endedAt !== null, status !== 3)
      assert.deepEqual(
        dispatches.map((one) => one.status),
        [state === 'sent' ? 'success' : 'failed'],
      )
    })
  }

  it('keeps a row as sent whatever the provider reports later, as no try of its own', () => {
    const events = (['sent', 'delivered', 'bounced', 'complained'] as const).map((state) => statusOf(ID, 1, state))
    const { row, dispatches } = decideWriteBack(known(), TAKEN, events)
    assert.deepEqual(row, { status: 2, sendCount: 1 })
    assert.equal(dispatches.length, 1)
  })

  it('counts tries on top of what the row had when its message began', () => {
    const events = [statusOf(ID, 1, 'deferred'), statusOf(ID, 3, 'abandoned')]
    const taken = { status: 3, sendCount: 6 }
    const { row } = decideWriteBack(known({ baseCount: 6, writtenCount: 6 }), taken, events)
    assert.deepEqual(row, { status: 4, sendCount: 9 })
  })

  it('counts no try that reached out to nobody', () => {
    const { row } = decideWriteBack(known(), TAKEN, [statusOf(ID, 1, 'expired')])
    assert.deepEqual(row, { status: 4, sendCount: 0 })
  })

  it('writes errors in the shape of Kratos, and null for a success', () => {
    const failure = {
      error: 'the server said no',
      failure_class: 'permanent_recipient',
      reply: { code: 550, command: 'RCPT' },
    }
    const events = [statusOf(ID, 1, 'abandoned', failure), statusOf(ID, 2, 'sent')]
    const [failed, success] = decideWriteBack(known(), TAKEN, events).dispatches
    assert.deepEqual(JSON.parse(failed!.error), {
      code: 500,
      status: 'Internal Server Error',
      reason: 'failed to send the message',
      details: { postrider_message_id: ID, state: 'abandoned', class: 'permanent_recipient', reply_code: 550 },
      message: 'the server said no',
    })
    assert.equal(success!.error, 'null')
  })

  it('leaves a row alone that was queued again, when its end is heard once more', () => {
    const ended = decideWriteBack(known(), TAKEN, [statusOf(ID, 1, 'abandoned')])
    const requeued = { status: 1, sendCount: 1 }
    const again = decideWriteBack(ended.known, requeued, [statusOf(ID, 1, 'abandoned')])
    assert.deepEqual(again.row, requeued)
    assert.equal(again.isForeign, false)
    const sent = decideWriteBack(known(), TAKEN, [statusOf(ID, 1, 'sent')])
    assert.deepEqual(decideWriteBack(sent.known, requeued, [statusOf(ID, 1, 'delivered')]).row, requeued)
  })

  it('lets only the newest message of a row speak for it', () => {
    const { row, dispatches } = decideWriteBack(known({ isLatest: false }), TAKEN, [statusOf(ID, 1, 'abandoned')])
    assert.deepEqual(row, TAKEN)
    assert.equal(dispatches.length, 1)
  })

  it('follows a message that is sent after all', () => {
    const ended = decideWriteBack(known(), TAKEN, [statusOf(ID, 1, 'abandoned')])
    const again = decideWriteBack(ended.known, ended.row, [statusOf(ID, 2, 'sent')])
    assert.deepEqual(again.row, { status: 2, sendCount: 2 })
  })

  it('writes nothing for a row that was deleted, and still ends its message', () => {
    const { row, dispatches, known: after } = decideWriteBack(known(), undefined, [statusOf(ID, 1, 'sent')])
    assert.deepEqual([row, dispatches], [undefined, []])
    assert.notEqual(after.endedAt, null)
  })

  it('tells once that somebody else counted, sent or gave up', () => {
    for (const row of [
      { status: 3, sendCount: 1 },
      { status: 2, sendCount: 0 },
      { status: 4, sendCount: 0 },
    ]) {
      const first = decideWriteBack(known(), row, [])
      assert.equal(first.isForeign, true, JSON.stringify(row))
      assert.equal(decideWriteBack(first.known, row, []).isForeign, false)
    }
    assert.equal(decideWriteBack(known(), { status: 1, sendCount: 0 }, []).isForeign, false)
  })

  it('comes to the same end under any order and any duplication', () => {
    const states: EventState[] = ['deferred', 'held', 'sent', 'abandoned', 'expired', 'delivered']
    const events = fc.uniqueArray(
      fc.record({ dispatch: fc.integer({ min: 1, max: 6 }), state: fc.constantFrom(...states) }),
      {
        selector: ({ dispatch, state }) => `${dispatch} ${state}`,
        minLength: 1,
      },
    )
    const shuffled = events.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2, maxLength: all.length * 2 }),
      ),
    )
    fc.assert(
      fc.property(shuffled, fc.integer({ min: 1, max: 4 }), ([ordered, mixed], size) => {
        const whole = outcome(ordered, ordered.length)
        assert.deepEqual(outcome(mixed, size), whole)
        assert.deepEqual(outcome([...ordered, ...mixed], size), whole)
      }),
    )
  })
})

function outcome(events: readonly { dispatch: number; state: EventState }[], size: number) {
  let state: Pick<WriteBack, 'known' | 'row'> = { known: known(), row: TAKEN }
  const dispatches = new Set<string>()
  for (let from = 0; from < events.length; from += size) {
    const batch = events.slice(from, from + size).map(({ dispatch, state }) => statusOf(ID, dispatch, state))
    const decided = decideWriteBack(state.known, state.row, batch)
    assert.equal(decided.isForeign, false)
    for (const { id } of decided.dispatches) dispatches.add(id)
    state = decided
  }
  return {
    ended: state.known.endedAt !== null,
    status: state.known.status,
    row: state.row,
    dispatches: [...dispatches].sort(),
  }
}
