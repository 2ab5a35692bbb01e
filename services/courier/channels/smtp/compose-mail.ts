/** Builds the bytes of a mail. A mail of the same message is the same on every attempt, so that receivers can drop a second copy. */
import { checkHeaders } from '#libs/smtp'
import type { OutgoingMail } from '../channel.ts'
import { encodeText } from './encode-body.ts'
import { headerLine, mailbox } from './encode-header.ts'

export interface ComposerOptions {
  /** An address in ASCII. */
  readonly from: { readonly address: string; readonly name?: string }
  readonly headers: Readonly<Record<string, string>>
}

/**
 * `to` is the address as it goes on the wire. The text has CRLF line ends, ends with one, and is pure ASCII unless `to` is not.
 * @throws Error when the mail's id or date cannot stand in a header
 */
export type ComposeMail = (mail: OutgoingMail, to: string) => string

/** RFC 2046 5.1.1: a boundary has at most 70 characters; some are left to make it unique. */
const MAX_BOUNDARY_ID = 60
const ID = /^[A-Za-z0-9._-]{1,128}$/

/** @throws CONFIG_INVALID for a header that must not be set */
export function openComposer({ from, headers }: ComposerOptions): ComposeMail {
  checkHeaders(headers)
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  const fromLine = openFromLine(from)
  const constant = [
    // RFC 3834 5: keeps out-of-office answers from coming back.
    ...(hasHeader(headers, 'auto-submitted') ? [] : ['Auto-Submitted: auto-generated\r\n']),
    ...Object.entries(headers).map(([name, value]) => headerLine(name, value)),
    'MIME-Version: 1.0\r\n',
  ].join('')
  const dateLine = openDateLine()

  return (mail, to) => {
    const id = mail.messageId
    if (!ID.test(id)) throw new Error('the message id has characters that a Message-ID cannot have')
    const head =
      `Message-ID: <${id}@${domain}>\r\n${dateLine(mail.date)}To: ${to}\r\n` +
      `${headerLine('Subject', mail.subject)}X-Postrider-Message-Id: ${id}\r\n${fromLine(mail.fromName)}${constant}`
    return mail.html === undefined
      ? head + only(part('plain', mail.text))
      : head + alternative(id, mail.text, mail.html)
  }
}

function hasHeader(headers: Readonly<Record<string, string>>, lowerName: string): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === lowerName)
}

/** Names come from projects, and those that were renamed leave theirs behind. */
const MAX_NAMES = 1_000

/** By the name that a mail brings, else with the channel's own. */
function openFromLine({ address, name: usualName }: ComposerOptions['from']): (name: string | undefined) => string {
  const lineOf = (name: string | undefined): string => `From: ${mailbox(address, name)}\r\n`
  const usual = lineOf(usualName)
  const lines = new Map<string, string>()
  return (name) => {
    if (name === undefined) return usual
    const known = lines.get(name)
    if (known !== undefined) return known
    if (lines.size >= MAX_NAMES) lines.clear()
    const line = lineOf(name)
    lines.set(name, line)
    return line
  }
}

/** Mails of one second share their date. */
function openDateLine(): (date: Date) => string {
  let second = Number.NaN
  let line = ''
  return (date) => {
    const current = Math.floor(date.getTime() / 1_000)
    if (Number.isNaN(current)) throw new Error('the date is no date')
    if (current !== second) {
      second = current
      line = `Date: ${date.toUTCString().replace('GMT', '+0000')}\r\n`
    }
    return line
  }
}

/** Text first: a reader takes the last part that it can show (RFC 2046 5.1.4). */
function alternative(id: string, text: string, html: string): string {
  const parts = [part('plain', text), part('html', html)]
  let boundary = `=_${id.slice(-MAX_BOUNDARY_ID)}`
  while (parts.some((content) => content.includes(boundary))) boundary += '_'
  return (
    `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n\r\n` +
    `--${boundary}\r\n${parts[0]}--${boundary}\r\n${parts[1]}--${boundary}--\r\n`
  )
}

/** A part that stands alone ends like its text; between boundaries the last line end belongs to the boundary. */
function only(content: string): string {
  return content.endsWith('\r\n\r\n') ? content.slice(0, -2) : content
}

function part(subtype: string, text: string): string {
  const { encoding, data } = encodeText(text)
  return `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${data}\r\n`
}
