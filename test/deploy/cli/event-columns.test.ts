import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { InRecord } from '#libs/bus'
import { eventColumns, eventRow } from '../../../deploy/cli/event-columns.ts'
import { readContract } from '../../libs/messages/contract/files.ts'

const sent = JSON.parse(readContract('examples/sent.json'))

function recordOf(value: string | null, headers: Record<string, string> = sent.headers): InRecord {
  const buffers = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const)
  return {
    offset: 7,
    key: null,
    value: value === null ? null : Buffer.from(value),
    headers: Object.fromEntries(buffers),
    timestampMs: Date.parse('2026-01-02T03:04:06Z'),
  }
}

describe('eventColumns', () => {
  it('has every field of the contract but the sealed one, with its type', () => {
    const fields = Object.keys(JSON.parse(readContract('delivery-status.v1.json')).properties)
    const { event_id, recorded_at, kafka_partition, kafka_offset, ...columns } = eventColumns()
    assert.deepEqual(
      [event_id, recorded_at, kafka_partition, kafka_offset],
      ['UUID', 'TIMESTAMPTZ', 'INTEGER', 'BIGINT'],
    )
    assert.deepEqual(
      Object.keys(columns),
      fields.filter((name) => name !== 'sealed'),
    )
    assert.deepEqual(
      [columns.message_id, columns.occurred_at, columns.dispatch, columns.terminal, columns.status],
      ['UUID', 'TIMESTAMPTZ', 'INTEGER', 'BOOLEAN', 'VARCHAR'],
    )
    assert.equal(columns.reply, 'STRUCT("code" INTEGER, "enhanced" VARCHAR, "command" VARCHAR)')
  })
})

describe('eventRow', () => {
  it('is the data, without what is sealed, beside what the record tells', () => {
    const value = JSON.stringify({ ...sent.value, sealed: 'e30..x' })
    assert.deepEqual(eventRow(recordOf(value), 3), {
      event_id: sent.headers.ce_id,
      recorded_at: '2026-01-02T03:04:06.000Z',
      kafka_partition: 3,
      kafka_offset: 7,
      ...sent.value,
    })
  })

  it('keeps a status that this version does not know', () => {
    const row = eventRow(recordOf(JSON.stringify({ ...sent.value, status: 'paused' })), 0)
    assert.equal((row as { status: string }).status, 'paused')
  })

  for (const [what, record] of [
    ['no JSON', recordOf('no JSON')],
    ['no value', recordOf(null)],
    ['another object', recordOf('{"id":1}')],
    ['no object', recordOf('7')],
    ['no id', recordOf(JSON.stringify(sent.value), {})],
  ] as const) {
    it(`is nothing where there is ${what}`, () => {
      assert.equal(eventRow(record, 0), undefined)
    })
  }
})
