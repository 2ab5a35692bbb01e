import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Check, fail, ok, warn } from './check.ts'
import type { ReadTxt } from './dns-records.ts'

/** Of large providers, and what people choose themselves. */
const COMMON = [
  ...['default', 'dkim', 'mail', 'smtp', 'mx', 's1', 's2', 'k1', 'k2', 'k3', 'key1', 'selector1', 'selector2'],
  ...['google', '20230601', 'mandrill', 'mailjet', 'pm', 'pic', 'resend', 'sendgrid', 'zoho', 'fm1', 'fm2', 'fm3'],
]
/** RFC 8301: shorter ones are not believed. */
const SHORTEST_BITS = 1_024
const GOOD_BITS = 2_048

/** Selectors stand in mails, not in DNS: those that were given, else common ones. @throws where no server answers */
export async function checkDkim(domain: string, selectors: readonly string[], readTxt: ReadTxt): Promise<Check> {
  const asked = selectors.length > 0 ? selectors : COMMON
  const records = await Promise.all(asked.map((selector) => keyRecord(selector, domain, readTxt)))
  const keys = asked.flatMap((selector, index) => {
    const record = records[index]
    return record === undefined ? [] : [judged(`${selector}._domainkey.${domain}`, record)]
  })
  const [first] = keys
  if (selectors.length > 0 && keys.length < asked.length)
    return noneOf(
      asked.filter((_, i) => records[i] === undefined),
      domain,
    )
  if (first === undefined)
    return warn(
      'dns.dkim',
      `no key found at common selectors of ${domain}`,
      'Ask again with --dkim-selector: it is the s= of the DKIM-Signature in a mail that arrived.',
    )
  // Given ones must all be good; of common ones an old one that was revoked does no harm.
  const worst = keys.find(({ status }) => status === 'fail') ?? keys.find(({ status }) => status === 'warn')
  const best = keys.find(({ status }) => status === 'ok')
  return (selectors.length > 0 ? worst : (best ?? worst)) ?? first
}

function noneOf(missing: readonly string[], domain: string): Check {
  const names = missing.map((selector) => `${selector}._domainkey.${domain}`).join(', ')
  return fail(
    'dns.dkim',
    `no key at ${names}`,
    'Publish the TXT or CNAME record that your provider shows for this selector.',
  )
}

async function keyRecord(selector: string, domain: string, readTxt: ReadTxt): Promise<string | undefined> {
  const texts = await readTxt(`${selector}._domainkey.${domain}`)
  return texts.find((text) => /(?:^|;)\s*p\s*=/i.test(text))
}

function judged(name: string, record: string): Check {
  const encoded = /(?:^|;)\s*p\s*=([^;]*)/i.exec(record)?.[1]?.replace(/\s+/g, '') ?? ''
  if (encoded === '')
    return fail('dns.dkim', `${name}: the key is revoked`, 'Sign with another selector, or publish its key anew.')
  if (/(?:^|;)\s*k\s*=\s*ed25519/i.test(record)) return ok('dns.dkim', `${name}: Ed25519`)
  const bits = keyOf(encoded)?.asymmetricKeyDetails?.modulusLength
  if (bits === undefined)
    return fail('dns.dkim', `${name}: the key cannot be read`, 'Publish it again: it was cut or mistyped.')
  if (bits < SHORTEST_BITS)
    return fail('dns.dkim', `${name}: RSA of ${bits} bits is not believed`, `Make one of ${GOOD_BITS} bits.`)
  if (bits < GOOD_BITS) return warn('dns.dkim', `${name}: RSA of ${bits} bits`, `Make one of ${GOOD_BITS} bits.`)
  return ok('dns.dkim', `${name}: RSA of ${bits} bits`)
}

function keyOf(encoded: string): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(encoded, 'base64'), format: 'der', type: 'spki' })
  } catch {
    return undefined // told by the caller
  }
}
