import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Statement, Tx } from '#libs/database'
import { openBlockedBy } from '../../../services/console/blocked-by.ts'
import type { BlockedBy, MessageRow } from '../../../services/console/message-repository.ts'

const BLOCKED: BlockedBy = {
  class: 'network',
  reply_code: null,
  enhanced_code: null,
  since: '2026-01-02T03:04:05.000Z',
  next_probe_at: '2026-01-02T03:04:10.000Z',
  message: 'nobody answers',
}

function rowOf(project_id: string, channel: string, state: MessageRow['state']): MessageRow {
  return { project_id, channel, state } as MessageRow
}

/** Every channel of the project `sick` is blocked. */
function couriers() {
  const asked: Statement[] = []
  const database = {
    query: async (statement: Statement) => {
      asked.push(statement)
      const [projects, channels] = statement.values as [string[], string[]]
      const rows = projects.map((project_id, index) => ({
        project_id,
        channel: channels[index],
        blocked_by: project_id === 'sick' ? BLOCKED : null,
      }))
      return { rows, rowCount: rows.length }
    },
  } as unknown as Tx
  return { asked, database }
}

describe('openBlockedBy', () => {
  it('asks for each channel once, however many messages wait for it', async () => {
    const { asked, database } = couriers()
    const rows = [
      ...Array.from({ length: 50 }, () => rowOf('sick', 'email', 'deferred')),
      ...Array.from({ length: 50 }, () => rowOf('well', 'email', 'queued')),
      rowOf('sick', 'sms', 'queued'),
    ]
    const blockedBy = await openBlockedBy(database, rows)
    assert.deepEqual(
      asked.map(({ values }) => values),
      [
        [
          ['sick', 'well', 'sick'],
          ['email', 'email', 'sms'],
        ],
      ],
    )
    assert.deepEqual(new Set(rows.map(blockedBy)), new Set([BLOCKED, null]))
    assert.equal(blockedBy(rows[50]!), null)
  })

  it('asks nothing where no message waits', async () => {
    const { asked, database } = couriers()
    const row = rowOf('sick', 'email', 'sent')
    const blockedBy = await openBlockedBy(database, [row])
    assert.equal(blockedBy(row), null)
    assert.deepEqual(asked, [])
  })

  it('tells nothing of a message that does not wait, beside one that does', async () => {
    const { database } = couriers()
    const [waits, held] = [rowOf('sick', 'email', 'queued'), rowOf('sick', 'email', 'held')]
    const blockedBy = await openBlockedBy(database, [waits, held])
    assert.deepEqual([blockedBy(waits), blockedBy(held)], [BLOCKED, null])
  })
})
