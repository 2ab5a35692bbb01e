/** One search box: each word says by its look what it is, and all words hold. */

import { FAILURE_CLASSES } from '#libs/delivery'
import { CodedError } from '#libs/errors'
import { isUuid, MESSAGE_STATES, type OryStatus, oryStatus, TEMPLATE_TYPES } from '#libs/messages'
import type { FilterColumn, Term } from './message-filter.ts'

export interface SearchWord {
  /** An address, whose hashes depend on the project. */
  readonly recipient?: string
  /** Id or slug. */
  readonly project?: string
  /** Any of these. */
  readonly terms?: readonly Term[]
}

const MAX_LENGTH = 500
const MAX_WORDS = 20
const E164 = /^\+[1-9]\d{5,14}$/
const DIGITS = /^[1-9]\d{5,14}$/
const TRACE_ID = /^[0-9a-f]{32}$/
const ENHANCED_CODE = /^[245]\.\d{1,3}\.\d{1,3}$/
const REPLY_CODE = /^[1-5]\d\d$/

/** @throws REQUEST_INVALID naming q */
export function readSearch(text: string): SearchWord[] {
  if (text.length > MAX_LENGTH) throw invalid(`expected at most ${MAX_LENGTH} characters`)
  const words = text.split(/\s+/).filter((word) => word !== '')
  if (words.length > MAX_WORDS) throw invalid(`expected at most ${MAX_WORDS} words`)
  return words.map(readWord)
}

function readWord(word: string): SearchWord {
  const [, key, value] = /^([a-z_]+):(.*)$/i.exec(word) ?? []
  if (key !== undefined && value !== undefined) return readKeyed(key.toLowerCase(), value)
  const lower = word.toLowerCase()
  if (/^<.+>$/.test(word)) return term('provider_message_id', word)
  if (word.includes('@') || E164.test(word)) return { recipient: word }
  if (isUuid(lower)) return term('id', lower)
  if (TRACE_ID.test(lower)) return term('trace_id', lower)
  if (ENHANCED_CODE.test(word)) return term('enhanced_code', word)
  if (REPLY_CODE.test(word)) return term('reply_code', Number(word))
  // A telephone number whose plus a URL has eaten, or the number that a provider gave.
  if (DIGITS.test(word)) return { recipient: `+${word}`, ...term('provider_message_id', word) }
  return readPlain(word, lower)
}

const KEYS: Record<string, (value: string) => SearchWord> = {
  state: (value) => term('state', oneOf('state', value, MESSAGE_STATES)),
  status: (value) => ({ terms: [{ column: 'state', anyOf: statesOf(value) }] }),
  template: (value) => ({ terms: [{ column: 'template_type', anyOf: templatesLike(value) ?? [value] }] }),
  code: (value) => codeTerm(value),
  domain: (value) => term('recipient_domain', value.toLowerCase()),
  class: (value) => term('failure_class', oneOf('class', value, FAILURE_CLASSES)),
  channel: (value) => term('channel', value),
  project: (value) => ({ project: value }),
  to: (value) => ({ recipient: value }),
  recipient: (value) => ({ recipient: value }),
  id: (value) => term('id', checked('id', value.toLowerCase(), isUuid, 'a UUID')),
  trace: (value) => term('trace_id', value.toLowerCase()),
  provider: (value) => term('provider_message_id', value),
}

function readKeyed(key: string, value: string): SearchWord {
  const read = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined
  if (read === undefined) throw invalid(`found ${key}:, expected one of ${Object.keys(KEYS).join(': ')}:`)
  if (value === '') throw invalid(`${key}: expected a value right behind the colon`)
  return read(value)
}

/** A word of ours matches in any place that knows it; any other one is taken for a provider's id. */
function readPlain(word: string, lower: string): SearchWord {
  const terms: Term[] = [
    { column: 'template_type', anyOf: templatesLike(lower) ?? [] },
    { column: 'state', anyOf: MESSAGE_STATES.filter((state) => state === lower) },
    { column: 'failure_class', anyOf: FAILURE_CLASSES.filter((name) => name.includes(lower)) },
  ]
  if (lower === 'processing') return { terms: [{ column: 'state', anyOf: statesOf(lower) }] }
  const known = terms.filter(({ anyOf }) => anyOf.length > 0)
  return known.length > 0 ? { terms: known } : term('provider_message_id', word)
}

function templatesLike(text: string): string[] | undefined {
  const found = TEMPLATE_TYPES.filter((type) => type.includes(text.toLowerCase()))
  return found.length > 0 ? found : undefined
}

function statesOf(value: string) {
  const status: OryStatus = oneOf('status', value, ['queued', 'sent', 'processing', 'abandoned'])
  return MESSAGE_STATES.filter((state) => oryStatus(state) === status)
}

function codeTerm(value: string): SearchWord {
  if (REPLY_CODE.test(value)) return term('reply_code', Number(value))
  return term(
    'enhanced_code',
    checked('code', value, (text) => ENHANCED_CODE.test(text), 'such as 550 or 5.1.1'),
  )
}

function term(column: FilterColumn, value: string | number): SearchWord {
  return { terms: [{ column, anyOf: [value] }] }
}

function oneOf<T extends string>(key: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value.toLowerCase())
  if (found === undefined) throw invalid(`${key}: expected one of ${allowed.join(', ')}`)
  return found
}

function checked(key: string, value: string, matches: (value: string) => boolean, shape: string): string {
  if (!matches(value)) throw invalid(`${key}: expected ${shape}`)
  return value
}

function invalid(problem: string): CodedError {
  return new CodedError('REQUEST_INVALID', `q: ${problem}`, { details: { field: 'q' } })
}
