import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser'
import nodemailer from 'nodemailer'
import { isCoded } from '#libs/errors'
import type { OutgoingMail } from '../../../../../services/courier/channels/channel.ts'
import { openComposer } from '../../../../../services/courier/channels/smtp/compose-mail.ts'
import { outgoingMail } from './smtp-fixture.ts'

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const TO = 'ada@example.org'
const FROM = { address: 'no-reply@example.org', name: 'Example, "the" Ünit' }

const compose = openComposer({ from: FROM, headers: {} })

function mail(more: Partial<OutgoingMail> = {}): OutgoingMail {
  return { ...outgoingMail(TO), messageId: ID, text: 'Hello\n', deadline: 0, ...more }
}

const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' })

/** The same mail by nodemailer. */
async function reference({ subject, text, html, date }: OutgoingMail): Promise<Buffer> {
  const content = {
    from: FROM,
    to: { name: '', address: TO },
    subject,
    text,
    date,
    ...(html !== undefined && { html }),
  }
  const { message } = await transport.sendMail(content)
  return message as Buffer
}

/** What a reader sees. Line ends, and white space at the edges and in the subject, may differ. */
function seen(parsed: ParsedMail): object {
  const lines = (text: string | undefined): string | undefined => text?.replace(/\r\n?/g, '\n').trimEnd()
  return {
    subject: parsed.subject?.replace(/\s+/g, ' ').trim(),
    text: lines(parsed.text),
    html: parsed.html === false ? undefined : lines(parsed.html),
    from: parsed.from?.value,
    to: (parsed.to as AddressObject).value,
    date: parsed.date,
  }
}

/** RFC 5321 and 5322: CRLF only, lines of at most 998, 7 bits. */
function assertFitForWire(raw: string): void {
  assert.ok(raw.endsWith('\r\n'))
  assert.doesNotMatch(raw.replaceAll('\r\n', ''), /[\r\n]/, 'a bare CR or LF')
  assert.doesNotMatch(raw, /[^\t\r\n\x20-\x7e]/, 'other than printable ASCII')
  assert.ok(
    raw.split('\r\n').every((line) => line.length <= 998),
    'a line over 998',
  )
}

async function assertSameAsReference(message: OutgoingMail): Promise<void> {
  const raw = compose(message, TO)
  assertFitForWire(raw)
  assert.deepEqual(seen(await simpleParser(raw)), seen(await simpleParser(await reference(message))))
}

const LINE = 'The quick brown fox jumps over the lazy dog. '
const CORPUS: Record<string, Partial<OutgoingMail>> = {
  'plain text': {},
  'text and HTML': { html: '<p>Hello</p>' },
  'an emoji subject': { subject: 'Dein Code 🔑👩‍👩‍👧‍👦 ist da' },
  'a long emoji subject': { subject: '🔑👩‍👩‍👧‍👦 '.repeat(40) },
  'a long ASCII subject': { subject: LINE.repeat(12) },
  'a subject of one long word': { subject: 'x'.repeat(2_000) },
  'a Cyrillic subject and body': { subject: 'Ваш код подтверждения '.repeat(5), text: 'Ваш код: 123456\n'.repeat(40) },
  'a body with some accents': {
    text: 'Grüße aus Köln, gleich weiter = ja\n'.repeat(20),
    html: '<p>Grüße</p>\n'.repeat(30),
  },
  'lines that begin with dots': { text: '.\n..\n.hidden\n\n.\n', html: '.\n<p>.</p>\n.' },
  'dots in quoted-printable': { text: `.ü\n..\n${'.'.repeat(300)}ü` },
  'very long lines': { text: LINE.repeat(200), html: `<p>${LINE.repeat(200)}</p>` },
  'a long line without spaces': { text: 'x'.repeat(5_000) },
  'CRLF, LF and CR': { text: 'a\r\nb\nc' },
  'white space at line ends': { text: 'a \nb\t\nü \n' },
  'no text': { text: '' },
  'no last line end': { text: 'end' },
  'a body that quotes a boundary': { text: `--=_${ID}\n--=_${ID}--\n`, html: `<p>--=_${ID}</p>` },
}

describe('openComposer', () => {
  for (const [what, more] of Object.entries(CORPUS)) {
    it(`composes ${what} as nodemailer does`, () => assertSameAsReference(mail(more)))
  }

  it('composes any text as nodemailer does', async () => {
    // Control characters and exotic spaces are where readers, not composers, differ.
    const character = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 1 })
      .filter(
        (text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) && (text === ' ' || !/\s/.test(text)) && text.isWellFormed(),
      )
    const unit = fc.oneof(character, fc.constantFrom(' ', '.', '=', '\n', 'ü', '🔑', 'word ', LINE))
    const text = fc.array(unit, { maxLength: 120 }).map((units) => `a${units.join('')}z`)
    const subject = fc.array(unit, { maxLength: 60 }).map((units) => `a${units.join('').replaceAll('\n', ' ')}z`)
    const html = fc.option(
      text.map((content) => `<p>${content}</p>`),
      { nil: undefined },
    )
    await fc.assert(
      fc.asyncProperty(subject, text, html, (subject, text, html) =>
        assertSameAsReference(mail({ subject, text, ...(html !== undefined && { html }) })),
      ),
      { numRuns: 150 },
    )
  })

  it('puts nothing unsafe on the wire, whatever the subject and the body hold', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 400 })
    fc.assert(
      fc.property(anything, anything, anything, (subject, text, html) => {
        const raw = compose(mail({ subject, text, html }), TO)
        assertFitForWire(raw)
        const names = raw.slice(0, raw.indexOf('\r\n\r\n')).match(/^[A-Za-z-]+(?=:)/gm)
        assert.equal(
          names?.join(),
          'Message-ID,Date,To,Subject,X-Postrider-Message-Id,From,Auto-Submitted,MIME-Version,Content-Type',
        )
      }),
    )
  })

  it('shows a subject that looks encoded as it was written', async () => {
    const subject = '=?UTF-8?Q?no?= really'
    assert.equal((await simpleParser(compose(mail({ subject }), TO))).subject, subject)
  })

  it('composes the same bytes on every attempt, under one Message-ID', () => {
    const message = mail({ html: '<p>Hello</p>' })
    assert.equal(compose(message, TO), compose({ ...message, deadline: 5 }, TO))
    const raw = compose(message, TO)
    assert.match(
      raw,
      new RegExp(`^Message-ID: <${ID}@example\\.org>\\r\\nDate: Fri, 02 Jan 2026 03:04:05 \\+0000\\r\\n`),
    )
    assert.match(raw, /^Auto-Submitted: auto-generated\r$/m)
    assert.match(raw, new RegExp(`^X-Postrider-Message-Id: ${ID}\\r$`, 'm'))
  })

  it('is from the name that the mail brings, else from its own', async () => {
    const addressOf = async (more: Partial<OutgoingMail>) =>
      (await simpleParser(compose(mail(more), TO))).from?.value.map(({ name, address }) => [name, address])
    const named = { fromName: 'Größte "Bücher" \\ Boutique\r\nBcc: eve@example.net' }
    const shown = 'Größte "Bücher" \\ Boutique Bcc: eve@example.net'
    assert.deepEqual(await addressOf(named), [[shown, FROM.address]])
    assert.deepEqual(await addressOf({ fromName: 'Other' }), [['Other', FROM.address]])
    assert.deepEqual(await addressOf(named), [[shown, FROM.address]])
    assert.deepEqual(await addressOf({}), [[FROM.name, FROM.address]])
    assertFitForWire(compose(mail(named), TO))
    assert.doesNotMatch(compose(mail(named), TO), /^Bcc/m)
  })

  it('adds configured headers, encoded as they need', async () => {
    const composed = openComposer({
      from: { address: FROM.address },
      headers: { 'X-SES-CONFIGURATION-SET': 'codes', 'X-Name': 'Grüße', 'Auto-Submitted': 'no' },
    })(mail(), TO)
    const { headers } = await simpleParser(composed)
    assert.equal(headers.get('x-ses-configuration-set'), 'codes')
    assert.match(composed, /^X-Name: =\?UTF-8\?B\?R3LDvMOfZQ==\?=\r$/m)
    assert.equal(composed.match(/^auto-submitted:/gim)?.length, 1)
  })

  for (const name of [
    ...['From', 'TO', 'cc', 'Bcc', 'Sender', 'Date', 'Subject', 'Content-Type', 'content-transfer-encoding'],
    ...[
      'MIME-Version',
      'Message-ID',
      'Return-Path',
      'Received',
      'DKIM-Signature',
      'Authentication-Results',
      'X-Postrider-Message-Id',
      'X Y',
      'X:Y',
      '',
    ],
  ]) {
    it(`refuses the header ${JSON.stringify(name)}`, () => {
      assert.throws(
        () => openComposer({ from: FROM, headers: { [name]: 'secret-value' } }),
        (error: Error) => isCoded(error, 'CONFIG_INVALID') && !error.message.includes('secret-value'),
      )
    })
  }

  it('refuses a header value with a line end', () => {
    assert.throws(() => openComposer({ from: FROM, headers: { 'X-A': 'a\r\nBcc: b@example.org' } }), /line end/)
  })

  it('refuses an id that could not stand in a header', () => {
    assert.throws(() => compose(mail({ messageId: 'a>\r\nBcc: b@example.org' }), TO), /message id/)
  })
})
