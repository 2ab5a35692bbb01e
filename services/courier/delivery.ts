import type { MessageRecord } from '#libs/messages'
import { traceFields } from '#libs/telemetry'
import type { RecordStream } from './record-stream.ts'
import type { SelectedChannel } from './select-channel.ts'

/** One message on its way through this courier: what came in, and what the ledger says of it. Mutable; owned by one stage at a time. */
export interface Delivery {
  readonly record: MessageRecord
  /** The record as it came: what the ledger keeps when it takes the message over. */
  readonly recordJson: string
  readonly traceparent: string
  readonly tracestate: string
  readonly expiresAtMs: number
  readonly receivedAtMs: number
  /** Recipient and type of a code or link, which a newer one makes useless; null where every message counts. */
  readonly supersedeKey: string | null
  /** A newer one has come. */
  superseded: boolean
  /** Where the message came from; undefined once the ledger owns it. */
  origin: Origin | undefined
  /** Whether the ledger owns the message, so that its conclusion goes through the event outbox. */
  handedOver: boolean
  stage: 'waiting' | 'claiming' | 'ready' | 'sending' | 'concluding' | 'done'
  dispatch: number
  charged: number
  unknowns: number
  reclaims: number
  /** Epoch ms until when no one else may send it. */
  leaseUntilMs: number
  claimedAtMs: number
  /** The channel that it was given to. */
  via: SelectedChannel | undefined
  /** A claim was sent and no answer came: the ledger may hold the message for this courier already. */
  unanswered: boolean
}

/** An offset that stays open until the message is concluded or handed over. */
export interface Origin {
  readonly stream: RecordStream
  readonly partition: number
  readonly offset: number
  readonly epoch: number
}

/** What the ledger keeps of a message it owns: one text, opened by `deliveryOfPayload`. */
export function payloadOf(delivery: Delivery): string {
  return `${delivery.traceparent}\n${delivery.tracestate}\n${delivery.recordJson}`
}

/** What every log line about the message has. */
export function logFieldsOf({ record, traceparent }: Pick<Delivery, 'record' | 'traceparent'>) {
  return { message_id: record.id, ...traceFields(traceparent) }
}

export interface Payload {
  readonly traceparent: string
  readonly tracestate: string
  readonly recordJson: string
}

export function parsePayload(text: string): Payload {
  const first = text.indexOf('\n')
  const second = text.indexOf('\n', first + 1)
  return {
    traceparent: text.slice(0, first),
    tracestate: text.slice(first + 1, second),
    recordJson: text.slice(second + 1),
  }
}

/** Completes the offset that stands behind the message, if one does. */
export function completeOrigin(delivery: Delivery): void {
  delivery.origin?.stream.finish(delivery)
}

/** Whether this courier is sending the message already: the record came a second time. */
export function isHeldHere(delivery: Delivery): boolean {
  for (const other of delivery.origin?.stream.open ?? []) {
    if (other === delivery || other.record.id !== delivery.record.id) continue
    if (other.stage === 'ready' || other.stage === 'sending' || other.stage === 'concluding') return true
  }
  return false
}

/** A message as it enters: nothing known of it but what came in. */
export function newDelivery(
  record: MessageRecord,
  payload: Payload,
  origin: Origin | undefined,
  recipientKey = '',
): Delivery {
  return {
    record,
    ...payload,
    supersedeKey: supersedeKeyOf(record, recipientKey),
    superseded: false,
    expiresAtMs: Date.parse(record.expires_at),
    receivedAtMs: Date.now(),
    origin,
    handedOver: origin === undefined,
    stage: 'waiting',
    dispatch: 0,
    charged: 0,
    unknowns: 0,
    reclaims: 0,
    leaseUntilMs: 0,
    claimedAtMs: 0,
    via: undefined,
    unanswered: false,
  }
}

/** Of codes and links only: whoever asks for a second one uses the second one. */
function supersedeKeyOf({ template_type }: MessageRecord, recipientKey: string): string | null {
  return recipientKey !== '' && template_type.endsWith('_valid') ? `${recipientKey} ${template_type}` : null
}
