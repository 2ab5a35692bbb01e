/** Replies of a server, cut out of the byte stream (RFC 5321 4.2, RFC 2034). */

export interface SmtpReply {
  readonly code: number
  readonly enhanced: string | undefined
  /** What followed the code, line by line. */
  readonly lines: readonly string[]
}

export interface ReplyReader {
  readonly push: (chunk: Buffer) => void
  /** The next complete reply; undefined until more arrives; 'garbage' when the peer does not speak SMTP. */
  readonly next: () => SmtpReply | 'garbage' | undefined
  /** Whether nothing is left over: bytes sent before TLS must not be read after it. */
  readonly isEmpty: () => boolean
}

/** RFC 5321 asks for 512; some servers write much longer ones. */
const MAX_LINE = 8_192
const MAX_LINES = 200
const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)/
const NON_ASCII = /[\x80-\xff]/

export function openReplyReader(): ReplyReader {
  let rest = ''
  let lines: string[] = []

  function takeLine(): string | undefined {
    const end = rest.indexOf('\n')
    if (end < 0) return undefined
    const line = rest.slice(0, rest.charCodeAt(end - 1) === 13 ? end - 1 : end)
    rest = rest.slice(end + 1)
    return line
  }

  return {
    push: (chunk) => {
      rest += chunk.toString('latin1')
    },
    next: () => {
      for (let line = takeLine(); line !== undefined; line = takeLine()) {
        const [, code, separator, text = ''] = LINE.exec(line) ?? []
        if (code === undefined || lines.length >= MAX_LINES || line.length > MAX_LINE) return 'garbage'
        lines.push(decoded(text))
        if (separator === '-') continue
        const reply = { code: Number(code), enhanced: ENHANCED.exec(lines[0] ?? '')?.[1], lines }
        lines = []
        return reply
      }
      return rest.length > MAX_LINE ? 'garbage' : undefined
    },
    isEmpty: () => rest === '' && lines.length === 0,
  }
}

/** Servers answer in ASCII, in UTF-8, and some in Latin-1. */
function decoded(text: string): string {
  if (!NON_ASCII.test(text)) return text
  const utf8 = Buffer.from(text, 'latin1').toString('utf8')
  return utf8.includes('\ufffd') ? text : utf8
}
