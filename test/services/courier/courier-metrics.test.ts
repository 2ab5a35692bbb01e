import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { observeChannels } from '../../../services/courier/channel-metrics.ts'
import type { AttemptResult } from '../../../services/courier/channels/channel.ts'
import { openCourierMetrics } from '../../../services/courier/courier-metrics.ts'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { openMeter } from '../../libs/telemetry/memory-meter.ts'
import { attemptOf, claimedDelivery, selected } from './deliveries.ts'
import { statusEvent } from './events.ts'

const NO_GAUGES = { open: () => 0, sending: () => 0, oldestMs: () => undefined }

function setup() {
  const { meter, read } = openMeter()
  const metrics = openCourierMetrics(meter, NO_GAUGES)
  /** Concludes one try as sent. */
  function conclude(attempt: AttemptResult | undefined, more: Partial<Delivery> = {}): void {
    const delivery = claimedDelivery(more)
    const result = { attempt, failure: attempt?.failure, subject: undefined, domain: undefined, renderMs: 1 }
    metrics.concluded(statusEvent(delivery.record.id, 'sent', delivery.dispatch), delivery, result)
  }
  return { metrics, read, conclude }
}

describe('openCourierMetrics', () => {
  it('counts an attempt, its parts and the end of its message', async () => {
    const { read, conclude } = setup()
    const phases = { dns: 1, tcp: 2, tls: 3, auth: 4, mail: 5, data: 6, dot: 7 }
    const peer = { host: 'relay', port: 587, tls: 'TLSv1.3' }
    conclude({ ...attemptOf(), reused: false, peer, timings: { connectMs: 10, sendMs: 18, phases } })
    assert.equal((await read('courier.attempts'))['channel=email,outcome=sent'], 1)
    assert.deepEqual(await read('courier.queue.wait'), { 'lane=urgent': 1 })
    assert.deepEqual(await read('courier.ratelimit.wait'), { 'channel=email': 1 })
    assert.deepEqual(await read('courier.render.duration'), { 'template_type=login_code_valid': 1 })
    assert.deepEqual(await read('courier.message.attempts'), { 'channel=email,status=sent': 1 })
    assert.deepEqual(await read('courier.smtp.connects'), { 'channel=email,tls.protocol.version=TLSv1.3': 1 })
    assert.deepEqual(Object.keys(await read('courier.smtp.connect.duration')), [
      'channel=email,phase=dns',
      'channel=email,phase=tcp',
      'channel=email,phase=tls',
      'channel=email,phase=auth',
    ])
    assert.deepEqual(Object.keys(await read('courier.smtp.command.duration')), [
      'channel=email,command=MAIL',
      'channel=email,command=DATA',
      'channel=email,command=DOT',
    ])
  })

  it('counts no connection where one was open, and no wait of a later try', async () => {
    const { read, conclude } = setup()
    conclude({ ...attemptOf(), reused: true, timings: { sendMs: 3 } }, { dispatch: 2 })
    assert.deepEqual(await read('courier.smtp.connects'), {})
    assert.deepEqual(await read('courier.queue.wait'), {})
  })

  it('counts what may have been sent twice: after an unknown outcome, or a courier that stopped', async () => {
    const { read, conclude } = setup()
    conclude(attemptOf())
    assert.deepEqual(await read('courier.messages.possibly_sent_twice'), { '': 0 })
    conclude(attemptOf(), { unknowns: 1 })
    conclude(attemptOf(), { reclaims: 1 })
    conclude(undefined, { reclaims: 1 })
    assert.deepEqual(await read('courier.messages.possibly_sent_twice'), { '': 2 })
  })

  it('counts a connection that failed under its class, and the refusal under its code', async () => {
    const { read, conclude } = setup()
    const failure = { class: 'auth', message: 'no', replyCode: 535, command: 'AUTH' } as const
    const reply = { code: 535, command: 'AUTH', text: 'no' }
    conclude({ ...attemptOf(), outcome: 'failed', failure, reply, timings: { connectMs: 4, sendMs: 0 } })
    assert.deepEqual(await read('courier.smtp.connects'), { 'channel=email,error.type=auth': 1 })
    assert.deepEqual(await read('courier.smtp.refusals'), { 'channel=email,command=AUTH,code=535': 1 })
  })

  it('counts published events by type, and those to be published again by error', async () => {
    const { metrics, read } = setup()
    const record = { key: 'k', value: '', headers: { ce_type: 'dev.postrider.delivery.sent.v1' } }
    metrics.published([{ record }, { record }])
    metrics.notPublished('PRODUCE_FAILED', 3)
    assert.deepEqual(await read('courier.status.published'), {
      'type=dev.postrider.delivery.sent.v1': 2,
      'error.type=PRODUCE_FAILED': 3,
    })
  })
})

describe('observeChannels', () => {
  const blockage = {
    failure: { class: 'network', message: 'away' },
    sinceMs: 0,
    nextProbeAtMs: Date.now() + 60_000,
  } as const
  const channel = (key: string, isOpen: boolean, connections?: { idle: number; busy: number }) => ({
    ...selected({ free: 1, send: () => undefined, onFree: () => undefined, close: async () => undefined }),
    key,
    blockage: () => (isOpen ? blockage : undefined),
    port: {
      free: 1,
      send: () => undefined,
      onFree: () => undefined,
      close: async () => undefined,
      ...(connections !== undefined && { connections: () => connections }),
    },
  })

  it("tells breakers by project, and everybody's connections together", async () => {
    const { meter, read } = openMeter()
    observeChannels(meter, () => [
      channel('email', false, { idle: 2, busy: 1 }),
      channel('p1/email', true, { idle: 1, busy: 4 }),
      channel('sms', false),
    ])
    assert.deepEqual(await read('courier.breaker.state'), {
      'channel=email': 0,
      'channel=email,courier.project=p1': 2,
      'channel=sms': 0,
    })
    assert.deepEqual(await read('courier.smtp.connections'), {
      'channel=email,state=idle': 3,
      'channel=email,state=busy': 5,
    })
  })

  it('tells the worst of each kind where there are fifty channels or more', async () => {
    const { meter, read } = openMeter()
    observeChannels(meter, () => Array.from({ length: 60 }, (_, index) => channel(`p${index}/email`, index === 7)))
    assert.deepEqual(await read('courier.breaker.state'), { 'channel=email': 2 })
  })
})
