import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import { DEFAULT_PROJECT_ID, type MessageRecord, openSealer } from '#libs/messages'
import { renderMessage } from '#libs/templates'
import { openPrepareMail, type PreparedMail } from '../../../services/courier/prepare-mail.ts'
import type { TryResult } from '../../../services/courier/try-result.ts'
import { deliveryOf, newId, sealer } from './deliveries.ts'

const ADDRESS = 'ada.lovelace@bücher.example'
const DEADLINE_MS = Date.now() + 120_000

function prepare(content: unknown, more: Partial<MessageRecord> = {}): PreparedMail | TryResult {
  const id = newId()
  const sealed = sealer.seal(DEFAULT_PROJECT_ID, id, content)
  const prepared = openPrepareMail(sealer, () => ({ render: renderMessage }))(
    deliveryOf({ id, sealed, ...more }),
    DEADLINE_MS,
  )
  assert.ok(!(prepared instanceof Promise), 'built-in parts take no time')
  return prepared
}

function mailOf(prepared: PreparedMail | TryResult): PreparedMail {
  assert.ok('mail' in prepared)
  return prepared
}

function failureOf(prepared: PreparedMail | TryResult) {
  assert.ok('failure' in prepared && prepared.failure !== undefined)
  return prepared.failure
}

describe('openPrepareMail', () => {
  it('opens and renders a message', () => {
    const { mail, domain } = mailOf(
      prepare({ recipient: ADDRESS, template_data: { to: ADDRESS, login_code: '731904' } }),
    )
    assert.deepEqual([mail.recipient, domain], [ADDRESS, 'xn--bcher-kva.example'])
    assert.match(mail.text, /731904/)
    assert.match(mail.html ?? '', /731904/)
    assert.ok(mail.subject !== '')
    assert.equal(mail.deadline, DEADLINE_MS)
  })

  it('is dated by the message, so that a mail sent twice is the same mail', () => {
    const created_at = '2030-01-31T12:00:00.000Z'
    const content = { recipient: ADDRESS, template_data: { to: ADDRESS, login_code: '731904' } }
    assert.deepEqual(mailOf(prepare(content, { created_at })).mail.date, new Date(created_at))
  })

  it('takes what its source has rendered as it is', () => {
    const rendered = { subject: 'Hello', text: 'plain', html: '<p>rich</p>' }
    const { mail } = mailOf(prepare({ recipient: ADDRESS, template_data: {}, rendered }))
    assert.deepEqual([mail.subject, mail.text, mail.html], ['Hello', 'plain', '<p>rich</p>'])
  })

  const cases: [what: string, content: unknown, more: Partial<MessageRecord>, failureClass: string][] = [
    ['an address that is none', { recipient: 'ada lovelace', template_data: {} }, {}, 'permanent_recipient'],
    [
      'a command in an address',
      { recipient: `${ADDRESS}\r\nRCPT TO:<eve@example.net>`, template_data: {} },
      {},
      'permanent_recipient',
    ],
    ['missing data', { recipient: ADDRESS, template_data: { to: ADDRESS } }, {}, 'render'],
    ['an unknown type', { recipient: ADDRESS, template_data: {} }, { template_type: 'newsletter' }, 'render'],
    ['content of another shape', null, {}, 'render'],
    ['a broken seal', {}, { sealed: 'a.b.c' }, 'render'],
  ]
  for (const [what, content, more, failureClass] of cases) {
    it(`fails as ${failureClass} for ${what}, and quotes nothing`, () => {
      const failure = failureOf(prepare(content, more))
      assert.equal(failure.class, failureClass)
      assert.doesNotMatch(failure.message, /lovelace|RCPT|eve|731904/)
    })
  }

  it('throws for a seal whose secret is missing here: the message has to wait', () => {
    const stranger = openSealer(['another secret of sixteen characters'])
    const sealed = stranger.seal(DEFAULT_PROJECT_ID, newId(), { recipient: ADDRESS, template_data: {} })
    assert.throws(
      () => prepare({}, { sealed }),
      (error) => isCoded(error, 'SEAL_UNKNOWN_KEY'),
    )
  })

  it('waits for a template of the user’s own, and only for that', async () => {
    const id = newId()
    const sealed = sealer.seal(DEFAULT_PROJECT_ID, id, { recipient: ADDRESS, template_data: { login_code: '731904' } })
    const own = { render: async () => ({ subject: 'Own', text: 'own words' }) }
    const prepared = openPrepareMail(sealer, () => own)(deliveryOf({ id, sealed }), DEADLINE_MS)
    assert.ok(prepared instanceof Promise)
    assert.deepEqual([mailOf(await prepared).mail.subject, mailOf(await prepared).mail.text], ['Own', 'own words'])
  })
})
