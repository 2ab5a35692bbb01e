import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TEMPLATE_TYPES } from '#libs/messages'
import { describeTemplateTypes } from '#libs/templates'

describe('describeTemplateTypes', () => {
  const lines = describeTemplateTypes().trimEnd().split('\n')

  it('is a table: every line has the same cells', () => {
    assert.deepEqual([...new Set(lines.map((line) => line.split(' | ').length))], [6])
  })

  it('shows every type, with the name of Go, the key of JSON and the need', () => {
    for (const templateType of TEMPLATE_TYPES)
      assert.ok(lines.some((line) => line.startsWith(`| \`${templateType}\` |`)))
    assert.ok(lines.includes('| `login_code_valid` | email | `.LoginCode` | `login_code` | string | yes |'))
    assert.ok(
      lines.includes(
        '| `recovery_code_valid` | sms | `.RecoveryCode` | `verification_code` or `recovery_code` | string | yes |',
      ),
    )
  })
})
