/** Recipients that are odd and real, from the message to the server. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openFixture } from './smtp-fixture.ts'

/** Local parts in any dot placement and with any of the atom characters; domains in any alphabet, in ASCII on the wire. */
const TAKEN: readonly (readonly [recipient: string, onWire: string])[] = [
  ['ada.@example.org', 'ada.@example.org'],
  ['.ada@example.org', '.ada@example.org'],
  ['a..da@example.org', 'a..da@example.org'],
  ['da.me..@docomo.example', 'da.me..@docomo.example'],
  ["!#$%&'*+/=?^_`{|}~-@example.org", "!#$%&'*+/=?^_`{|}~-@example.org"],
  ['Ada+Login@Example.ORG', 'Ada+Login@example.org'],
  ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
  ['ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
  ['ada@例え.テスト', 'ada@xn--r8jz45g.xn--zckzah'],
  ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
  ['ada@localhost', 'ada@localhost'],
  ['jürgen@bücher.example', 'jürgen@xn--bcher-kva.example'],
]

const REFUSED = [
  ...[
    'mallory',
    '@mallory.example',
    'mallory@',
    'mallory@@mallory.example',
    'mal lory@mallory.example',
    '"mallory"@mallory.example',
    'mallory@[127.0.0.1]',
  ],
  ...[
    'mallory<eve@mallory.example',
    'mallory>@mallory.example',
    'mallory,eve@mallory.example',
    'mallory;@mallory.example',
    'mal\\lory@mallory.example',
  ],
  ...[
    'mallory(eve)@mallory.example',
    'g:mallory@mallory.example',
    'mallory\t@mallory.example',
    'mallory@exam\u00adple.org\r\n',
    'mallory\0@mallory.example',
  ],
  ...[
    'mallory@mallory..example',
    'mallory@-mallory.example',
    'mallory@mallory.example.',
    `${'a'.repeat(65)}@mallory.example`,
  ],
]

describe('envelopeOf', () => {
  for (const [recipient, onWire] of TAKEN) {
    it(`sends to ${recipient}, and to nobody else`, async () => {
      await using fixture = await openFixture()
      const { outcome, failure } = await fixture.send(recipient)
      assert.equal(outcome, 'accepted', failure?.message)
      assert.deepEqual(
        fixture.sink.lines.filter((line) => line.includes('RCPT')),
        [`1 RCPT TO:<${onWire}>`],
      )
      assert.ok(fixture.sink.mails[0]?.raw.includes(`\r\nTo: ${onWire}\r\n`))
    })
  }

  for (const recipient of REFUSED) {
    it(`refuses ${JSON.stringify(recipient)} without connecting, and without repeating it`, async () => {
      await using fixture = await openFixture()
      const { failure } = await fixture.send(recipient)
      assert.equal(failure?.class, 'permanent_recipient')
      assert.match(failure?.message ?? '', /^recipient: expected /)
      assert.ok(!failure?.message.includes(recipient))
      assert.equal(fixture.sink.connections(), 0)
    })
  }

  for (const [what, script] of [
    ['does not offer SMTPUTF8', { extensions: ['PIPELINING', '8BITMIME'] }],
    ['knows HELO only', { answer: (command: string) => (command === 'EHLO' ? '502 What?' : undefined) }],
  ] as const) {
    it(`does not send to letters beyond ASCII where the server ${what} (RFC 6531 3.2)`, async () => {
      await using fixture = await openFixture(script)
      const { outcome, failure } = await fixture.send('jürgen@example.org')
      assert.equal(outcome, 'failed')
      assert.equal(failure?.class, 'permanent_recipient')
      assert.match(failure?.message ?? '', /other than ASCII letters before the @ \(no SMTPUTF8\)/)
      assert.ok(!fixture.sink.lines.some((line) => /MAIL|RCPT/.test(line)))
      assert.equal((await fixture.send('ada@bücher.example')).outcome, 'accepted', 'a domain needs no SMTPUTF8')
    })
  }
})
