import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Command } from 'commander'
import { durationMs, instant } from '../../../deploy/cli/instant.ts'
import { filterOf, takesFilters } from '../../../deploy/cli/message-filters.ts'
import { FILTER_NAMES } from '../../../services/console/read-filter.ts'

function filter(...args: string[]): Record<string, string> {
  const command = takesFilters(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
  return filterOf(command.parse(args, { from: 'user' }).opts())
}

describe('filterOf', () => {
  it('names every filter as the API does', () => {
    const args = [
      ...[
        '--status',
        'sent',
        '--state',
        'sent',
        '--recipient',
        'a@example.org',
        '--template',
        'stub',
        '--project',
        'p',
      ],
      ...['--channel', 'sms', '--domain', 'example.org', '--class', 'auth', '--code', '550', '--trace', 'f'.repeat(32)],
      ...[
        '--identity',
        'i',
        '--provider-id',
        'x',
        '--since',
        '2026-01-02T00:00:00Z',
        '--until',
        '2026-01-03',
        '-q',
        'one',
        '-q',
        'two',
      ],
    ]
    const found = { ...filter(...args), ...filter('--code', '5.1.1') }
    // An id is a word of the search, and the argument of show.
    const expected = FILTER_NAMES.filter((name) => name !== 'message_id')
    assert.deepEqual(Object.keys(found).toSorted(), [...expected].toSorted())
    assert.equal(found.q, 'one two')
    assert.equal(found.created_before, '2026-01-03T00:00:00.000Z')
  })

  it('refuses a code that is none, and gives nothing where nothing was given', () => {
    assert.throws(() => filter('--code', '5.1'), /550/)
    assert.deepEqual(filter(), {})
  })
})

describe('instant', () => {
  it('takes a time ago', () => {
    const ago = Date.now() - Date.parse(instant('1h30m'))
    assert.ok(ago >= 5_400_000 && ago < 5_460_000)
  })

  it('refuses what is neither, and an instant without a zone', () => {
    for (const text of ['yesterday', '1', '2026-01-02T03:04:05', '9999999999d'])
      assert.throws(() => instant(text), /Allowed/)
  })
})

describe('durationMs', () => {
  it('adds its parts', () => {
    assert.equal(durationMs('1d2h3m4s5ms'), 93_784_005)
  })
})
