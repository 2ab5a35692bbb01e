import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parsePayload, payloadOf } from '../../../services/courier/delivery.ts'
import { deliveryOf, TRACEPARENT } from './deliveries.ts'

describe('payloadOf', () => {
  it('is read back as it was, whatever the record says', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const delivery = deliveryOf({ locale: text })
        const { recordJson } = delivery
        assert.deepEqual(parsePayload(payloadOf(delivery)), {
          traceparent: TRACEPARENT,
          tracestate: 'vendor=1',
          recordJson,
        })
      }),
    )
  })
})
