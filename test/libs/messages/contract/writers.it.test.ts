/** Every writer of the delivery-status topic is held to the contract: what the real code builds, in all its shapes. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import type { Decision, FailureClass } from '#libs/delivery'
import { DEFAULT_PROJECT_ID, encodeStatus, type StatusEvent, statusEventId } from '#libs/messages'
import { cancelEvent } from '../../../../services/console/actions/cancel-event.ts'
import type { AttemptPhases, AttemptResult } from '../../../../services/courier/channels/channel.ts'
import { type ConcludedTry, openBuildEvent } from '../../../../services/courier/status-of-try.ts'
import { failedBeforeSend, type TryResult } from '../../../../services/courier/try-result.ts'
import { announceDead } from '../../../../services/relay/announce-dead.ts'
import { abandonedEvent } from '../../../../services/relay/kratos/abandoned-event.ts'
import {
  attemptOf,
  claimedDelivery,
  failedAttempt,
  newId,
  sealer,
  TRACEPARENT,
} from '../../../services/courier/deliveries.ts'
import { memoryKafka } from '../../../services/relay/open-relay.ts'
import { testDatabase } from '../../../support/servers.ts'
import { assertPublished } from './contract.ts'

const LATER = Date.now() + 60_000
const DECISIONS: { readonly [Kind in Decision['kind']]: readonly Extract<Decision, { kind: Kind }>[] } = {
  sent: [{ kind: 'sent' }],
  retry: [{ kind: 'retry', atMs: LATER, charged: true }],
  abandon: (['permanent', 'exhausted', 'render'] as const).map((reason) => ({ kind: 'abandon', reason })),
  expire: [{ kind: 'expire' }],
  cancel: [{ kind: 'cancel' }],
  supersede: [{ kind: 'supersede' }],
  hold: [{ kind: 'hold' }],
}
/** Names all of them: a new one does not compile before it stands here. */
const CLASSES: Record<FailureClass, true> = {
  expired: true,
  auth: true,
  tls: true,
  config: true,
  render: true,
  network: true,
  ambiguous: true,
  transient_remote: true,
  greylisted: true,
  throttled: true,
  mailbox_full: true,
  permanent_recipient: true,
  permanent_content: true,
  protocol: true,
  channel_refused: true,
  permanent_remote: true,
  cancelled: true,
  superseded: true,
}
/** Each that there is. */
const PHASES: Required<AttemptPhases> = {
  ...{ dns: 0.2, tcp: 0.4, tls: 1.5, auth: 1.3 },
  ...{ mail: 1.1, data: 0.3, dot: 10.8, request: 11.2, response: 1 },
}
const FULL: Partial<AttemptResult> = {
  startedAt: Date.now(),
  timings: { connectMs: 3.4, sendMs: 12.2, phases: PHASES },
  reply: { code: 250, enhanced: '2.0.0', command: 'DOT', text: '2.0.0 Ok: queued as 4F0B2' },
  providerMessageId: '4F0B2',
  conversation: ['S: 250 Ok'],
}
const tryOf = (attempt: AttemptResult | undefined): TryResult => ({
  attempt,
  failure: undefined,
  subject: 'Use code 731904 to log in',
  domain: 'example.org',
  renderMs: 0.4,
})

describe("the courier's events", () => {
  const build = openBuildEvent({
    sealer,
    worker: 'courier-1',
    maxAttemptsOf: () => 6,
    providerOf: () => 'mx.example.net',
  })
  const bare = openBuildEvent({ sealer, worker: 'courier-1', maxAttemptsOf: () => 6, providerOf: () => undefined })
  const results: TryResult[] = [
    tryOf(attemptOf()),
    tryOf(attemptOf(FULL)),
    ...Object.keys(CLASSES).flatMap((name) => {
      const failure = { class: name as FailureClass, message: 'what went wrong', replyCode: 451, command: 'RCPT' }
      return [failedBeforeSend(failure.class, failure.message), tryOf(failedAttempt(failure))]
    }),
  ]

  for (const decision of Object.values(DECISIONS).flat()) {
    it(`are of the contract after ${JSON.stringify(decision)}, whatever the try brought`, () => {
      for (const result of results) {
        const failure = result.failure ?? result.attempt?.failure
        const rest = { result, failure, decision, charged: 2, unknowns: 1, traceparent: TRACEPARENT }
        const plain: ConcludedTry = { ...rest, delivery: claimedDelivery() }
        const rich = claimedDelivery()
        Object.assign(rich, { record: { ...rich.record, identity_id: crypto.randomUUID(), locale: 'de' } })
        assertPublished(encodeStatus(bare(plain)))
        assertPublished(encodeStatus(build({ ...rest, delivery: rich })))
      }
    })
  }
})

describe("the relay's events", () => {
  it('are of the contract for a row that was set aside', async (t) => {
    const { url } = await testDatabase(t)
    await using database = openDatabase({ url, applicationName: 'contract', max: 1 })
    const id = newId()
    await database.query({
      text: `insert into outbox.dead
          (id, shard, project_id, channel, template_type, lane, expires_at, key, value, traceparent, created_at, reason)
        values ($1, 3, $2, 'email', 'login_code_valid', 'urgent', now() + interval '1 hour', 'k', 'v', $3, now(), 'too large')`,
      values: [id, DEFAULT_PROJECT_ID, TRACEPARENT],
    })
    const kafka = memoryKafka()
    const ports = { database, send: kafka.send, statusTopic: 'status', partitions: 8, worker: 'relay-1' }
    assert.equal(await announceDead([3], ports), 1)
    for (const { record } of kafka.log) assertPublished(record)
    assert.deepEqual(
      kafka.log.map(({ record }) => record.key),
      [id],
    )
  })

  it('are of the contract for a row of a real Kratos that nobody could take', () => {
    const row = {
      id: crypto.randomUUID(),
      nid: crypto.randomUUID(),
      type: 1,
      template_type: 'login_code_valid',
      channel: null,
      created_at: new Date(),
      now: new Date(),
    }
    const reservation = { messageId: newId(), expiresAt: new Date(LATER), traceparent: TRACEPARENT }
    assertPublished(abandonedEvent(row as never, reservation as never, 'recipient: no address', 'relay-1'))
  })
})

describe("the console's cancellation", () => {
  const known = {
    identity_id: crypto.randomUUID(),
    locale: 'de',
    recipient_domain: 'example.org',
    trace_id: TRACEPARENT.slice(3, 35),
  }
  const unknown = { identity_id: null, locale: null, recipient_domain: null, trace_id: null }
  for (const [what, more] of [
    ['everything', known],
    ['nothing', unknown],
  ] as const) {
    it(`is of the contract, as the ledger stores it, where ${what} else is known of the message`, async (t) => {
      const { url } = await testDatabase(t)
      await using database = openDatabase({ url, applicationName: 'contract', max: 1 })
      const id = newId()
      const event = cancelEvent(
        {
          id,
          project_id: DEFAULT_PROJECT_ID,
          channel: 'email',
          template_type: 'login_code_valid',
          lane: 'urgent',
          created_at: new Date(),
          cursor_at: '',
          expires_at: new Date(LATER),
          state: 'queued',
          dispatch: 0,
          charged: 0,
          ...more,
        },
        { worker: 'console-1', maxAttempts: 6 },
        Date.now(),
      )
      await database.query({ text: `select * from courier.command($1, 'cancel', $2::jsonb)`, values: [id, event] })
      const { rows } = await database.query<{ event: string }>({ text: 'select event::text from courier.event_outbox' })
      assert.equal(rows.length, 1)
      // As a courier reads it back and publishes it.
      const stored = JSON.parse(rows[0]!.event) as Omit<StatusEvent, 'id'>
      const eventId = statusEventId(stored.data.message_id, stored.data.dispatch, stored.data.status)
      assertPublished(encodeStatus({ ...stored, id: eventId }))
    })
  }
})
