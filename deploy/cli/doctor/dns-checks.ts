/** Whether the world may believe mail from the sender's domain: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489). */
import { type Check, fail, ok, reasonOf, skip, warn } from './check.ts'
import { checkDkim } from './check-dkim.ts'
import { checkSpf } from './check-spf.ts'
import type { ReadTxt } from './dns-records.ts'

export interface DnsOptions {
  readonly domain: string
  /** Of DKIM; without any, common ones are tried. */
  readonly selectors: readonly string[]
  readonly readTxt: ReadTxt
}

const POLICY = /^v=DMARC1\s*(?:;|$)/i

export async function dnsChecks({ domain, selectors, readTxt }: DnsOptions): Promise<Check[]> {
  return Promise.all([
    answered('dns.spf', () => checkSpf(domain, readTxt)),
    answered('dns.dkim', () => checkDkim(domain, selectors, readTxt)),
    answered('dns.dmarc', () => checkDmarc(domain, readTxt)),
  ])
}

/** A name server that is away says nothing about the domain. */
async function answered(check: string, look: () => Promise<Check>): Promise<Check> {
  try {
    return await look()
  } catch (error) {
    return warn(check, `no answer: ${reasonOf(error)}`, 'Ask again, or name other servers in POSTRIDER_DNS.')
  }
}

async function checkDmarc(domain: string, readTxt: ReadTxt): Promise<Check> {
  for (const at of upwards(domain)) {
    const policies = (await readTxt(`_dmarc.${at}`)).filter((text) => POLICY.test(text))
    if (policies.length > 1)
      return fail(
        'dns.dmarc',
        `${policies.length} DMARC records at _dmarc.${at}`,
        'Keep one: with several none counts.',
      )
    if (policies[0] !== undefined) return judged(at, policies[0], at !== domain)
  }
  const remedy = `Publish a TXT record at _dmarc.${domain}: v=DMARC1; p=none; rua=mailto:<an address of yours>, and tighten it to p=reject later.`
  return warn(
    'dns.dmarc',
    `no DMARC record for ${domain}: anybody can send in its name, and large providers distrust it`,
    remedy,
  )
}

function judged(at: string, policy: string, isParent: boolean): Check {
  const tag = (name: string): string | undefined =>
    new RegExp(`(?:^|;)\\s*${name}\\s*=\\s*([^;\\s]+)`, 'i').exec(policy)?.[1]?.toLowerCase()
  const wanted = (isParent ? tag('sp') : undefined) ?? tag('p')
  const told = `p=${wanted ?? '?'} at _dmarc.${at}`
  if (wanted === 'reject' || wanted === 'quarantine') return ok('dns.dmarc', told)
  if (wanted === 'none')
    return warn(
      'dns.dmarc',
      `${told}: forged mail is delivered`,
      'Go on to p=quarantine, then p=reject, once reports show that your own mail passes.',
    )
  return fail('dns.dmarc', `${told}: not a policy`, 'Set p to none, quarantine or reject.')
}

/** The domain and those above it, down to two labels. */
function upwards(domain: string): string[] {
  const labels = domain.split('.')
  return labels.slice(0, Math.max(1, labels.length - 1)).map((_, index) => labels.slice(index).join('.'))
}

/** Where there is nothing to look up. */
export function noDns(reason: string): Check[] {
  return ['spf', 'dkim', 'dmarc'].map((name) => skip(`dns.${name}`, reason))
}
