import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { differenceText } from '../../../deploy/cli/revision-commands.ts'

describe('differenceText', () => {
  it('has a line for what was added, removed and changed, and cuts long values', () => {
    const changes = [
      { path: 'courier.http', after: { url: 'https://a.example.com' } },
      { path: 'courier.smtp.from_name', before: 'Ada' },
      { path: 'courier.body', before: null, after: 'x'.repeat(1_000) },
    ]
    assert.equal(
      differenceText({ from: 1, to: 3, changes }),
      [
        'revision 1 → 3',
        '+ courier.http: {"url":"https://a.example.com"}',
        '- courier.smtp.from_name: "Ada"',
        `~ courier.body: null → "${'x'.repeat(79)}…`,
      ].join('\n'),
    )
  })

  it('says so where there is none', () => {
    assert.equal(differenceText({ from: 1, to: 2, changes: [] }), 'no difference between revision 1 and 2')
  })
})
