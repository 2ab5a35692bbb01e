/** A dispatcher over ports in memory. */
import type { TestContext } from 'node:test'
import type { MessageRecord } from '#libs/messages'
import type { OutgoingMail } from '../../../services/courier/channels/channel.ts'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { openDispatcher } from '../../../services/courier/dispatch-messages.ts'
import { openIntake } from '../../../services/courier/intake.ts'
import type { Claimed, NewClaim } from '../../../services/courier/lease-ledger.ts'
import type { Prepared } from '../../../services/courier/prepare-mail.ts'
import type { SelectedChannel } from '../../../services/courier/select-channel.ts'
import type { TryResult } from '../../../services/courier/try-result.ts'
import { deliveryOf, LEASE_MS, memoryChannel, memoryStream, selected, silent } from './deliveries.ts'

export const COUNTERS = { dispatch: 1, charged: 0, unknowns: 0, reclaims: 0 }

function memoryPorts() {
  const channel = memoryChannel(4)
  const claims: string[][] = []
  const concluded: { delivery: Delivery; result: TryResult }[] = []
  const givenBack: { delivery: Delivery; delayMs: number }[] = []
  const state = {
    channel,
    claims,
    concluded,
    givenBack,
    /** Channel by template type, where a test has several. */
    keyOf: (_templateType: string) => 'email',
    select: (_delivery: { template_type: string }): SelectedChannel | undefined => selected(channel),
    mustWait: (_record: MessageRecord): boolean => false,
    prepare: (delivery: Delivery): Prepared | Promise<Prepared> => ({
      mail: mailOf(delivery),
      domain: 'example.org',
      renderMs: 1,
    }),
    claim: async (items: readonly NewClaim[]): Promise<Claimed[]> => items.map(({ id }) => ({ id, ...COUNTERS })),
  }
  return state
}

function mailOf({ record, dispatch }: Delivery): OutgoingMail {
  return {
    messageId: record.id,
    projectId: record.project_id,
    messageType: record.channel,
    templateType: record.template_type,
    templateData: {},
    requestHeaders: {},
    dispatch,
    recipient: 'ada@example.org',
    subject: 'Hello',
    text: 'plain',
    date: new Date(record.created_at),
    deadline: 0,
  }
}

export function openTestDispatcher(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const ports = memoryPorts()
  const { claims, concluded, givenBack } = ports
  const told = { dueRoom: 0 }
  const stream = memoryStream()
  const intake = openIntake(
    ({ record }) => ports.keyOf(record.template_type),
    () => dispatcher.wake(),
  )
  const ledger = {
    claim: (items: readonly NewClaim[]) => {
      claims.push(items.map(({ id }) => id))
      return ports.claim(items)
    },
    lookUp: async () => [],
    handOver: async () => [],
  }
  const dispatcher = openDispatcher({
    intake,
    // Only the statements that a claim needs.
    ledger: ledger as unknown as Parameters<typeof openDispatcher>[0]['ledger'],
    publisher: { publish: () => undefined, republish: () => undefined, pending: 0, drain: async () => undefined },
    leaseMs: LEASE_MS,
    log: silent,
    isHeldWhenUnknown: ({ template_type }) => template_type === 'held_when_unknown',
    selectChannel: (record) => ports.select(record),
    channelOf: (key) => ports.select({ template_type: key }),
    mustWait: (record) => ports.mustWait(record),
    prepareMail: (delivery) => ports.prepare(delivery),
    conclude: (delivery, result) => void concluded.push({ delivery, result }),
    onDueRoom: () => {
      told.dueRoom += 1
    },
    giveBack: (deliveries, delayMs) => {
      for (const delivery of deliveries) givenBack.push({ delivery, delayMs })
    },
  })
  const arrive = (count = 1, lane: 'urgent' | 'notice' = 'urgent', template_type = 'login_code_valid') => {
    const deliveries = Array.from({ length: count }, () => deliveryOf({ lane, template_type }, stream))
    stream.add(...deliveries)
    intake.accept(deliveries)
    return deliveries
  }
  return { ...ports, ports, told, dispatcher, stream, intake, arrive }
}
