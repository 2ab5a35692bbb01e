/** Builds the status event of one concluded try. */
import type { Decision, DeliveryFailure } from '#libs/delivery'
import {
  type EventState,
  isTerminal,
  type MessageRecord,
  type SealedDetails,
  type Sealer,
  type StatusData,
  type StatusEvent,
  statusEventId,
} from '#libs/messages'
import { traceIdOf } from '#libs/telemetry'
import type { AttemptPhases, AttemptResult } from './channels/channel.ts'
import type { Delivery } from './delivery.ts'
import type { TryResult } from './try-result.ts'

export interface ConcludedTry {
  readonly delivery: Delivery
  readonly result: TryResult
  readonly failure: DeliveryFailure | undefined
  readonly decision: Decision
  readonly charged: number
  readonly unknowns: number
  /** Context of the span that publishes the event; the message's own where nothing is sampled. */
  readonly traceparent: string | undefined
}

export type BuildEvent = (concluded: ConcludedTry) => StatusEvent

export interface EventOptions {
  readonly sealer: Sealer
  readonly worker: string
  /** Tries that a message may be charged. */
  readonly maxAttemptsOf: (record: MessageRecord) => number
  readonly providerOf: (delivery: Delivery) => string | undefined
}

/** The state that a decision brings a message to. */
export const STATE_AFTER: Record<Decision['kind'], EventState> = {
  sent: 'sent',
  retry: 'deferred',
  abandon: 'abandoned',
  expire: 'expired',
  cancel: 'cancelled',
  supersede: 'superseded',
  hold: 'held',
}

export function openBuildEvent(options: EventOptions): BuildEvent {
  return (concluded) => {
    const { delivery, decision } = concluded
    const data = statusData(concluded, options)
    return {
      id: statusEventId(delivery.record.id, delivery.dispatch, STATE_AFTER[decision.kind]),
      data,
      traceparent: concluded.traceparent ?? delivery.traceparent,
      createdBy: delivery.traceparent,
    }
  }
}

function statusData(concluded: ConcludedTry, { sealer, worker, maxAttemptsOf, providerOf }: EventOptions): StatusData {
  const { delivery, result, failure, decision, charged, unknowns } = concluded
  const { record } = delivery
  const { attempt } = result
  const status = STATE_AFTER[decision.kind]
  const terminal = isTerminal(status)
  const provider = providerOf(delivery)
  const nowMs = Date.now()
  return {
    message_id: record.id,
    project_id: record.project_id,
    template_type: record.template_type,
    channel: record.channel,
    status,
    severity: status === 'sent' ? 'none' : terminal ? 'permanent' : 'temporary',
    terminal,
    dispatch: delivery.dispatch,
    attempt: charged,
    max_attempts: maxAttemptsOf(record),
    occurred_at: new Date(nowMs).toISOString(),
    queued_at: record.created_at,
    expires_at: record.expires_at,
    ...(decision.kind === 'retry' && { next_attempt_at: new Date(decision.atMs).toISOString() }),
    ...(decision.kind === 'abandon' && { reason: decision.reason }),
    ...(failure !== undefined && { failure_class: failure.class, error: failure.message }),
    decision: decision.kind,
    attempted: attempt !== undefined,
    // A courier that died while sending, or an answer that never came: a copy may have arrived.
    possibly_delivered: status !== 'sent' && (unknowns > 0 || delivery.reclaims > 0),
    durations_ms: durations(delivery, attempt, nowMs),
    ...(attempt?.reply !== undefined && { reply: publicReply(attempt.reply) }),
    ...(provider !== undefined && { provider }),
    ...(attempt?.providerMessageId !== undefined && { provider_message_id: attempt.providerMessageId }),
    ...(result.domain !== undefined && { recipient_domain: result.domain }),
    ...(record.identity_id !== undefined && { identity_id: record.identity_id }),
    ...(record.locale !== undefined && { locale: record.locale }),
    lane: record.lane,
    trace_id: traceIdOf(delivery.traceparent),
    worker,
    ...sealedDetails(sealer, delivery, result),
  }
}

function durations(delivery: Delivery, attempt: AttemptResult | undefined, nowMs: number): StatusData['durations_ms'] {
  const total = nowMs - Date.parse(delivery.record.created_at)
  if (attempt === undefined) return { total }
  const { connectMs, sendMs, phases } = attempt.timings
  return {
    queue: Math.round(attempt.startedAt - delivery.receivedAtMs),
    ...roundedPhases(phases),
    ...(connectMs !== undefined && { connect: Math.round(connectMs) }),
    send: Math.round(sendMs),
    total,
  }
}

function roundedPhases(phases: AttemptPhases | undefined): AttemptPhases {
  const rounded: { -readonly [Phase in keyof AttemptPhases]: number } = {}
  for (const phase in phases) {
    const name = phase as keyof AttemptPhases
    rounded[name] = Math.round(phases[name] ?? 0)
  }
  return rounded
}

/** Numbers and the command only: a reply's text may name the recipient, so that it travels sealed. */
function publicReply({
  code,
  enhanced,
  command,
}: NonNullable<AttemptResult['reply']>): NonNullable<StatusData['reply']> {
  return { code, ...(enhanced !== undefined && { enhanced }), command }
}

function sealedDetails(sealer: Sealer, { record }: Delivery, { subject, attempt }: TryResult): { sealed?: string } {
  if (subject === undefined && attempt === undefined) return {}
  const details: SealedDetails = {
    ...(subject !== undefined && { subject }),
    ...(attempt?.reply !== undefined && { reply_text: attempt.reply.text }),
    ...(attempt?.conversation !== undefined && { conversation: attempt.conversation }),
    ...(attempt?.peer !== undefined && { peer: attempt.peer, reused: attempt.reused }),
  }
  return { sealed: sealer.seal(record.project_id, record.id, details) }
}
