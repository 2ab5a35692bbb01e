/** Header fields: folding (RFC 5322 2.2.3) and encoded words (RFC 2047). */

/** A line should not pass 78 characters and must not pass 998. */
const LINE = 76
const MAX_WORD = 900
/** 75 in all, less `=?UTF-8?Q?` and `?=`. */
const PAYLOAD = 63
const PRINTABLE = /^[\x20-\x7e]*$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const CONTROLS = /[\x00-\x1f\x7f]+/g
/** What may stand bare in an encoded word anywhere in a header (RFC 2047 5). */
const Q_SAFE = /[A-Za-z0-9!*+/-]/

/** `Name: value` with its line end; control characters, line ends among them, become a space. */
export function headerLine(name: string, value: string): string {
  const clean = value.replace(CONTROLS, ' ').trim()
  if (PRINTABLE.test(clean) && !clean.includes('=?')) {
    if (name.length + clean.length + 2 <= LINE) return `${name}: ${clean}\r\n`
    const folded = fold(`${name}: ${clean}`)
    if (folded !== undefined) return `${folded}\r\n`
  }
  return `${name}: ${encodeWords(clean, LINE - name.length - 2)}\r\n`
}

/** `name <address>`, the name quoted or encoded as it needs. */
export function mailbox(address: string, name = ''): string {
  const clean = name.replace(CONTROLS, ' ').trim()
  if (clean === '') return address
  if (!PRINTABLE.test(clean) || clean.includes('=?')) return `${encodeWords(clean, PAYLOAD)} <${address}>`
  return `"${clean.replace(/["\\]/g, '\\$&')}" <${address}>`
}

/** Breaks before single spaces; undefined when a word is too long for any line. */
function fold(line: string): string | undefined {
  let folded = ''
  let length = 0
  // A space that another one follows stays with its word: a line of nothing but spaces is not allowed.
  for (const word of line.split(/(?<=\S) (?=\S)/)) {
    if (word.length > MAX_WORD) return undefined
    const isFirst = folded === ''
    const breaks = !isFirst && length + 1 + word.length > LINE
    folded += isFirst ? word : `${breaks ? '\r\n ' : ' '}${word}`
    length = isFirst || breaks ? word.length + 1 : length + 1 + word.length
  }
  return folded
}

/** Words of whole characters, in whichever of B and Q is shorter; the first has `room` columns at least. */
function encodeWords(text: string, room: number): string {
  const bytes = Buffer.from(text)
  const isBase64 = quotedLength(bytes) > Math.ceil(bytes.length / 3) * 4
  const words: string[] = []
  let current: string[] = []
  let size = 0
  const limit = room < PAYLOAD + 12 ? Math.max(20, room - 12) : PAYLOAD
  for (const character of text) {
    const width = isBase64 ? Buffer.byteLength(character) : quoted(character).length
    const most = words.length === 0 ? limit : PAYLOAD
    if (size + width > (isBase64 ? Math.floor(most / 4) * 3 : most)) {
      words.push(encodedWord(current.join(''), isBase64))
      current = []
      size = 0
    }
    current.push(character)
    size += width
  }
  words.push(encodedWord(current.join(''), isBase64))
  return words.join('\r\n ')
}

function encodedWord(text: string, isBase64: boolean): string {
  if (isBase64) return `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`
  return `=?UTF-8?Q?${Array.from(text, quoted).join('')}?=`
}

function quoted(character: string): string {
  if (character === ' ') return '_'
  if (Q_SAFE.test(character) && character.length === 1) return character
  return Array.from(Buffer.from(character), (byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

function quotedLength(bytes: Buffer): number {
  let length = 0
  for (const byte of bytes) length += byte < 0x80 && (byte === 0x20 || Q_SAFE.test(String.fromCharCode(byte))) ? 1 : 3
  return length
}
