import { type Check, fail, ok, warn } from './check.ts'
import type { ReadTxt } from './dns-records.ts'

const SPF = /^v=spf1(?:\s|$)/i
/** Each costs a receiver a look-up. */
const COSTLY = /^[+?~-]?(?:include:|a(?:[:/]|$)|mx(?:[:/]|$)|ptr(?::|$)|exists:)|^redirect=/i
const NESTED = /^[+?~-]?include:(.+)$|^redirect=(.+)$/i
/** RFC 7208 4.6.4: beyond, receivers answer permerror. */
const MOST_LOOKUPS = 10
const DEEPEST = 10

/** The record itself, and how many look-ups it costs; what it includes must have a record too. @throws where no server answers */
export async function checkSpf(domain: string, readTxt: ReadTxt): Promise<Check> {
  const found = (await readTxt(domain)).filter((text) => SPF.test(text))
  const [record] = found
  if (record === undefined) {
    const remedy = `Publish a TXT record at ${domain}: v=spf1 include:<your provider> ~all; your provider says what to include.`
    return fail('dns.spf', `no SPF record at ${domain}: receivers cannot tell your provider from a forger`, remedy)
  }
  if (found.length > 1)
    return fail('dns.spf', `${found.length} SPF records at ${domain}`, 'Join them into one: with several none counts.')
  const { lookups, without } = await countLookups(record, readTxt)
  if (without.length > 0)
    return fail(
      'dns.spf',
      `${told(record)}: ${without.join(', ')} has no SPF record`,
      'Correct the name behind include: or redirect=.',
    )
  if (lookups > MOST_LOOKUPS)
    return fail(
      'dns.spf',
      `${told(record)}: ${lookups} look-ups`,
      `Take out includes: more than ${MOST_LOOKUPS} and receivers count it as broken.`,
    )
  return judged(record)
}

function judged(record: string): Check {
  const all = /(?:^|\s)([+?~-]?)all(?:\s|$)/i.exec(record)?.[1]
  if (all === '+' || all === '')
    return fail('dns.spf', `${told(record)}: lets everybody send`, 'End it with ~all or -all.')
  if (all === '?' || (all === undefined && !/redirect=/i.test(record)))
    return warn('dns.spf', `${told(record)}: says nothing about everybody else`, 'End it with ~all or -all.')
  return ok('dns.spf', told(record))
}

interface Counted {
  readonly lookups: number
  /** Domains that are included and have no record. */
  readonly without: readonly string[]
}

async function countLookups(record: string, readTxt: ReadTxt, depth = 0): Promise<Counted> {
  const terms = record.split(/\s+/).slice(1)
  let lookups = terms.filter((term) => COSTLY.test(term)).length
  const without: string[] = []
  for (const term of terms) {
    const [, included, redirected] = NESTED.exec(term) ?? []
    const target = included ?? redirected
    // Macros need a mail to be filled in.
    if (target === undefined || target.includes('%') || depth >= DEEPEST || lookups > MOST_LOOKUPS) continue
    const nested = (await readTxt(target)).find((text) => SPF.test(text))
    if (nested === undefined) without.push(target)
    else {
      const inner = await countLookups(nested, readTxt, depth + 1)
      lookups += inner.lookups
      without.push(...inner.without)
    }
  }
  return { lookups, without }
}

function told(record: string): string {
  return record.length > 120 ? `${record.slice(0, 117)}…` : record
}
