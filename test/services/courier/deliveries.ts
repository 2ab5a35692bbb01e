/** Messages on their way through a courier, and the ports around them in memory. */
import pino, { type Logger } from 'pino'
import type { OutRecord, Producer } from '#libs/bus'
import type { DeliveryFailure } from '#libs/delivery'
import {
  asMessageId,
  DEFAULT_PROJECT_ID,
  decodeStatus,
  encodeMessage,
  type MessageId,
  type MessageRecord,
  openSealer,
  type StatusEvent,
} from '#libs/messages'
import type { AttemptResult, Channel, OutgoingMail } from '../../../services/courier/channels/channel.ts'
import { type Delivery, newDelivery } from '../../../services/courier/delivery.ts'
import type { RecordStream } from '../../../services/courier/record-stream.ts'
import type { SelectedChannel } from '../../../services/courier/select-channel.ts'

export const sealer = openSealer(['a secret of sixteen characters or more'])
export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
export const LEASE_MS = 150_000
export const silent: Logger = pino({ level: 'silent' })

let counter = 0
/** A new message id, made `at` (epoch ms); ascending. */
export function newId(at = Date.now()): MessageId {
  const time = at.toString(16).padStart(12, '0')
  const tail = (++counter).toString(16).padStart(12, '0')
  return asMessageId(`${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${tail}`)
}

export function recordOf(more: Partial<MessageRecord> = {}, recipient = 'ada@example.org'): MessageRecord {
  const id = more.id ?? newId()
  return {
    id,
    project_id: DEFAULT_PROJECT_ID,
    channel: 'email',
    template_type: 'login_code_valid',
    lane: 'urgent',
    created_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    sealed: sealer.seal(DEFAULT_PROJECT_ID, id, { recipient, template_data: { to: recipient, login_code: '731904' } }),
    ...more,
  }
}

/** A delivery as it comes in: from `stream`, or from the ledger where there is none. */
export function deliveryOf(more: Partial<MessageRecord> = {}, stream?: MemoryStream): Delivery {
  const record = recordOf(more)
  const payload = { traceparent: TRACEPARENT, tracestate: 'vendor=1', recordJson: encodeMessage(record) }
  return newDelivery(record, payload, stream?.origin())
}

/** A delivery that this courier has claimed. */
export function claimedDelivery(more: Partial<Delivery> = {}, stream?: MemoryStream): Delivery {
  const claimed = { dispatch: 1, stage: 'ready' as const, claimedAtMs: Date.now(), leaseUntilMs: Date.now() + LEASE_MS }
  const delivery = Object.assign(deliveryOf(more.record ?? {}, stream), claimed, more)
  stream?.add(delivery)
  return delivery
}

export interface MemoryStream extends RecordStream {
  readonly open: Set<Delivery>
  readonly finished: Delivery[]
  readonly origin: () => NonNullable<Delivery['origin']>
  readonly add: (...deliveries: Delivery[]) => void
  /** Loses the partition: nothing that came before is this courier's any more. */
  readonly revoke: () => void
}

export function memoryStream(): MemoryStream {
  const open = new Set<Delivery>()
  const finished: Delivery[] = []
  let offset = 0
  let epoch = 1
  const stream: MemoryStream = {
    open,
    finished,
    origin: () => ({ stream, partition: 0, offset: offset++, epoch }),
    add: (...deliveries) => {
      for (const delivery of deliveries) open.add(delivery)
    },
    revoke: () => {
      epoch += 1
    },
    finish: (delivery) => {
      if (delivery.origin === undefined) return
      delivery.origin = undefined
      open.delete(delivery)
      finished.push(delivery)
    },
    owns: ({ origin }) => origin?.epoch === epoch,
    isAssigned: () => true,
    stop: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
  return stream
}

export interface Sent {
  readonly partition: number
  readonly records: readonly OutRecord[]
}

export interface MemoryProducer extends Pick<Producer, 'send'> {
  /** Every call, also those that failed. */
  readonly calls: Sent[]
  /** What Kafka has, in order. */
  readonly events: StatusEvent[]
  /** Asked before each send; a rejection is the answer. */
  before: (sent: Sent) => Promise<void>
}

export function memoryProducer(): MemoryProducer {
  const producer: MemoryProducer = {
    calls: [],
    events: [],
    before: async () => undefined,
    send: async (_topic, partition, records) => {
      const sent = { partition, records }
      producer.calls.push(sent)
      await producer.before(sent)
      for (const { value, headers } of records) producer.events.push(decodeStatus(value, headers))
    },
  }
  return producer
}

export interface MemoryChannel extends Channel {
  /** Places in all; may be changed. */
  places: number
  readonly sending: { readonly mail: OutgoingMail; readonly end: (result?: Partial<AttemptResult>) => void }[]
  readonly sent: string[]
  readonly wake: () => void
}

/** Mails stay under way until the test ends them. */
export function memoryChannel(places = 10): MemoryChannel {
  let onFree: () => void = () => undefined
  const channel: MemoryChannel = {
    places,
    sending: [],
    sent: [],
    get free() {
      return channel.places - channel.sending.length
    },
    send: (mail, done) => {
      if (channel.free <= 0) throw new Error('no place is free')
      channel.sent.push(mail.messageId)
      const under = {
        mail,
        end: (result: Partial<AttemptResult> = {}) => {
          channel.sending.splice(channel.sending.indexOf(under), 1)
          done(attemptOf(result))
        },
      }
      channel.sending.push(under)
    },
    onFree: (callback) => {
      onFree = callback
    },
    close: async () => undefined,
    wake: () => onFree(),
  }
  return channel
}

export function selected(port: Channel, more: Partial<SelectedChannel> = {}): SelectedChannel {
  return { key: 'email', port, blockage: () => undefined, reserved: 0, provider: 'mx.example.net', ...more }
}

export function attemptOf(more: Partial<AttemptResult> = {}): AttemptResult {
  return { outcome: 'accepted', reused: false, startedAt: Date.now(), timings: { sendMs: 5 }, ...more }
}

export function failedAttempt(failure: DeliveryFailure): AttemptResult {
  return attemptOf({ outcome: failure.class === 'ambiguous' ? 'unknown' : 'failed', failure })
}

/** Lets what is due now happen: microtasks, immediates and the sockets' answers. */
export async function turn(times = 3): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise((resolve) => setImmediate(resolve))
}
