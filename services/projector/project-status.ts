/**
 * The projection: (state of a message, event) -> state. Pure, and correct under any order and any duplication,
 * also when a status comes before its message.
 */
import type { EventState, MessageRecord, MessageState, StatusData, StatusEvent } from '#libs/messages'

/** What never changes about a message. */
export interface MessageFacts {
  readonly project_id: string
  readonly channel: string
  readonly template_type: string
  readonly lane: string
  readonly identity_id: string | null
  readonly locale: string | null
  readonly source_id: string | null
  readonly sealed: string | null
  readonly recipient_hash: string | null
  readonly trace_id: string | null
  readonly created_at: string
  readonly expires_at: string
}

/** How far its delivery has come. */
export interface DeliveryProgress {
  readonly state: MessageState
  /** Order of events: every dispatch, and within one the rank of the state. */
  readonly position: number
  readonly dispatch: number
  readonly charged: number
  readonly next_attempt_at: string | null
  readonly reason: string | null
  readonly failure_class: string | null
  readonly reply_code: number | null
  readonly enhanced_code: string | null
  readonly error: string | null
  readonly possibly_delivered: boolean
  readonly provider_message_id: string | null
  /** Position of the event that named `provider_message_id`. */
  readonly provider_position: number
  readonly recipient_domain: string | null
  readonly updated_at: string | null
}

export interface ProjectedMessage {
  readonly id: string
  /** Where the facts were learnt: the message itself says more than its status. */
  readonly factsFrom: 'nothing' | 'status' | 'record'
  /** null: nothing is known, or the stored facts stay as they are. */
  readonly facts: MessageFacts | null
  readonly progress: DeliveryProgress
}

export type ProjectorEvent =
  | {
      readonly kind: 'message'
      readonly id: string
      readonly record: MessageRecord
      readonly recipientHash: string | null
      readonly traceId: string | null
    }
  | { readonly kind: 'status'; readonly id: string; readonly event: StatusEvent }

/** One try, as the API shows it. */
export interface DispatchRow {
  readonly message_id: string
  readonly dispatch: number
  readonly state: string
  readonly id: string
  readonly attempt: number
  readonly failure_class: string | null
  readonly reply_code: number | null
  readonly enhanced_code: string | null
  readonly error: string | null
  readonly decision: string | null
  readonly duration_ms: number | null
  /** JSON: ms by phase. */
  readonly durations: string
  readonly command: string | null
  readonly provider: string | null
  readonly worker: string | null
  readonly next_attempt_at: string | null
  readonly sealed: string | null
  readonly created_at: string
}

const RANKS = 16
/**
 * Order of states within one dispatch. That a mail went out outranks every reason to give up on it; what the provider
 * reports later refines that, and a complaint is the last word.
 */
const RANK: Record<MessageState, number> = {
  queued: 0,
  deferred: 1,
  held: 2,
  expired: 3,
  superseded: 4,
  cancelled: 5,
  suppressed: 6,
  abandoned: 7,
  sent: 8,
  delivered: 9,
  bounced: 10,
  complained: 11,
}

const UNTOUCHED: DeliveryProgress = {
  state: 'queued',
  position: 0,
  dispatch: 0,
  charged: 0,
  next_attempt_at: null,
  reason: null,
  failure_class: null,
  reply_code: null,
  enhanced_code: null,
  error: null,
  possibly_delivered: false,
  provider_message_id: null,
  provider_position: 0,
  recipient_domain: null,
  updated_at: null,
}

/** A message of which nothing is known yet. */
export function unknownMessage(id: string): ProjectedMessage {
  return { id, factsFrom: 'nothing', facts: null, progress: UNTOUCHED }
}

/** @returns the same object where the event brings nothing new. */
export function projectStatus(message: ProjectedMessage, event: ProjectorEvent): ProjectedMessage {
  return event.kind === 'message' ? withRecord(message, event) : withStatus(message, event.event.data)
}

function withRecord(
  message: ProjectedMessage,
  { record, recipientHash, traceId }: Extract<ProjectorEvent, { kind: 'message' }>,
): ProjectedMessage {
  if (message.factsFrom === 'record') return message
  const facts: MessageFacts = {
    project_id: record.project_id,
    channel: record.channel,
    template_type: record.template_type,
    lane: record.lane,
    identity_id: record.identity_id ?? null,
    locale: record.locale ?? null,
    source_id: record.source_id ?? null,
    sealed: record.sealed,
    recipient_hash: recipientHash,
    trace_id: traceId,
    created_at: record.created_at,
    expires_at: record.expires_at,
  }
  return { ...message, factsFrom: 'record', facts }
}

function withStatus(message: ProjectedMessage, data: StatusData): ProjectedMessage {
  const progress = advance(message.progress, data)
  if (message.factsFrom !== 'nothing') return progress === message.progress ? message : { ...message, progress }
  return { id: message.id, factsFrom: 'status', facts: factsOfStatus(data), progress }
}

function factsOfStatus(data: StatusData): MessageFacts {
  return {
    project_id: data.project_id,
    channel: data.channel,
    template_type: data.template_type,
    lane: data.lane,
    identity_id: data.identity_id ?? null,
    locale: data.locale ?? null,
    source_id: null,
    sealed: null,
    recipient_hash: data.recipient_hash ?? null,
    trace_id: data.trace_id,
    created_at: data.queued_at,
    expires_at: data.expires_at,
  }
}

function advance(progress: DeliveryProgress, data: StatusData): DeliveryProgress {
  const position = data.dispatch * RANKS + RANK[data.status]
  const gathered = gather(progress, data, position)
  if (position <= progress.position) return gathered
  return {
    ...gathered,
    state: data.status,
    position,
    dispatch: data.dispatch,
    charged: data.attempt,
    next_attempt_at: data.next_attempt_at ?? null,
    reason: data.reason ?? null,
    failure_class: data.failure_class ?? null,
    reply_code: data.reply?.code ?? null,
    enhanced_code: data.reply?.enhanced ?? null,
    error: data.error ?? null,
    updated_at: data.occurred_at,
  }
}

/** What every event may add, also one that came late. */
function gather(progress: DeliveryProgress, data: StatusData, position: number): DeliveryProgress {
  const names = data.provider_message_id !== undefined && position > progress.provider_position
  const doubts = data.possibly_delivered && !progress.possibly_delivered
  const locates = data.recipient_domain !== undefined && progress.recipient_domain === null
  if (!names && !doubts && !locates) return progress
  return {
    ...progress,
    possibly_delivered: progress.possibly_delivered || data.possibly_delivered,
    provider_message_id: names ? (data.provider_message_id ?? null) : progress.provider_message_id,
    provider_position: names ? position : progress.provider_position,
    recipient_domain: progress.recipient_domain ?? data.recipient_domain ?? null,
  }
}

const FEEDBACK: ReadonlySet<EventState> = new Set(['delivered', 'bounced', 'complained'])

/** The try that a status reports; undefined where none was made, or where a provider reports later on one that is known. */
export function dispatchOf({ id, data }: StatusEvent): DispatchRow | undefined {
  if (!data.attempted || FEEDBACK.has(data.status)) return undefined
  const { connect, send } = data.durations_ms
  return {
    message_id: data.message_id,
    dispatch: data.dispatch,
    state: data.status,
    id,
    attempt: data.attempt,
    failure_class: data.failure_class ?? null,
    reply_code: data.reply?.code ?? null,
    enhanced_code: data.reply?.enhanced ?? null,
    error: data.error ?? null,
    decision: data.decision ?? null,
    duration_ms: send === undefined && connect === undefined ? null : Math.round((connect ?? 0) + (send ?? 0)),
    durations: JSON.stringify(data.durations_ms),
    command: data.reply?.command ?? null,
    provider: data.provider ?? null,
    worker: data.worker ?? null,
    next_attempt_at: data.next_attempt_at ?? null,
    sealed: data.sealed ?? null,
    created_at: data.occurred_at,
  }
}
