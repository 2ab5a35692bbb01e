/** Text parts in pure ASCII with CRLF line ends: as they are where that is safe, else in the shorter of two encodings (RFC 2045). */

export interface EncodedText {
  readonly encoding: '7bit' | 'quoted-printable' | 'base64'
  readonly data: string
}

const SAFE = /^[\t\r\n\x20-\x7e]*$/
/** RFC 5321 4.5.3.1.6: 1,000 with the line end. */
const MAX_LINE = 998
const LINE_END = /\r\n|\r|\n/g
/** Share of bytes that have to be escaped above which base64 is shorter, and no less readable. */
const BASE64_SHARE = 0.2

const CR = 13
const LF = 10
const TAB = 9
const SPACE = 32
const DOT = 46
const EQUALS = 61
/** A line is at most 76, and one that goes on ends with `=`. */
const QP_LINE = 75
const HEX = Buffer.from('0123456789ABCDEF')

export function encodeText(text: string): EncodedText {
  const lines = text.includes('\n') || text.includes('\r') ? text.replace(LINE_END, '\r\n') : text
  if (SAFE.test(lines) && !hasLongLine(lines)) return { encoding: '7bit', data: lines }
  const bytes = Buffer.from(lines)
  if (shareEscaped(bytes) > BASE64_SHARE) return { encoding: 'base64', data: base64(bytes) }
  return { encoding: 'quoted-printable', data: quotedPrintable(bytes) }
}

/** By hand: a regular expression for this takes a millisecond per long line. */
function hasLongLine(lines: string): boolean {
  let start = 0
  for (let end = lines.indexOf('\r\n'); end >= 0; end = lines.indexOf('\r\n', start)) {
    if (end - start > MAX_LINE) return true
    start = end + 2
  }
  return lines.length - start > MAX_LINE
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n')
}

function shareEscaped(bytes: Buffer): number {
  let escaped = 0
  for (let index = 0; index < bytes.length; index++) if (!isPlain(bytes[index]!)) escaped++
  return bytes.length === 0 ? 0 : escaped / bytes.length
}

function isPlain(byte: number): boolean {
  return (byte >= SPACE && byte <= 126 && byte !== EQUALS) || byte === TAB || byte === CR || byte === LF
}

/** `bytes` has CRLF as its only line end. A dot that begins a line is escaped as well: some relays eat it. */
function quotedPrintable(bytes: Buffer): string {
  // Three for each byte, and three for each of the line breaks between.
  const out = Buffer.allocUnsafe(bytes.length * 3 + Math.ceil((bytes.length * 3) / (QP_LINE - 2)) * 3 + 3)
  let length = 0
  let column = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!
    if (byte === CR) {
      out[length++] = CR
      out[length++] = LF
      index++
      column = 0
      continue
    }
    const escapes = !isPlain(byte) || ((byte === SPACE || byte === TAB) && endsLine(bytes, index + 1))
    if (column + (escapes ? 3 : 1) > QP_LINE) {
      out[length++] = EQUALS
      out[length++] = CR
      out[length++] = LF
      column = 0
    }
    if (escapes || (byte === DOT && column === 0)) {
      out[length++] = EQUALS
      out[length++] = HEX[byte >> 4]!
      out[length++] = HEX[byte & 15]!
      column += 3
    } else {
      out[length++] = byte
      column++
    }
  }
  return out.toString('latin1', 0, length)
}

function endsLine(bytes: Buffer, index: number): boolean {
  return index === bytes.length || bytes[index] === CR
}
