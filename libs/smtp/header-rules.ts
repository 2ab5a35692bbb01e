/** Which headers `courier.smtp.headers` may add: told to whoever writes them, and checked again by whoever sends. */
import { CodedError } from '#libs/errors'

/** Set by the courier, by the composer or by servers on the way; another value would redirect, forge or break the mail. */
const RESERVED = new Set([
  'from',
  'to',
  'cc',
  'bcc',
  'sender',
  'date',
  'subject',
  'mime-version',
  'message-id',
  'return-path',
  'received',
  'dkim-signature',
  'authentication-results',
  'x-postrider-message-id',
])
/** RFC 5322 2.2, less what no header in use has. */
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,76}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/
const MAX_VALUE = 4_000

/** @throws CONFIG_INVALID naming the header, never its value. */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  const [problem] = headerProblems(headers)
  if (problem !== undefined) throw new CodedError('CONFIG_INVALID', problem)
}

/** @returns `key: problem` for each that may not be set; never with a value */
export function headerProblems(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const problem = problemOf(name, value)
    return problem === undefined ? [] : [`courier.smtp.headers: ${JSON.stringify(name)} ${problem}`]
  })
}

function problemOf(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return 'is no header name: use letters, digits and -'
  const lower = name.toLowerCase()
  if (RESERVED.has(lower) || lower.startsWith('content-'))
    return 'is set by the courier and cannot be overridden: remove it'
  if (CONTROL.test(value)) return 'has a line end or control character in its value: write it on one line'
  return value.length > MAX_VALUE ? `is longer than ${MAX_VALUE} characters` : undefined
}
