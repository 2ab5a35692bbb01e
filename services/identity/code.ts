/** One-time codes and the tokens of links: the user gets them, the database a keyed hash. */
import { createHmac, hkdfSync, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'

export interface Codes {
  /** A uniformly random code of six digits. */
  readonly draw: () => string
  /** A token of 256 random bits, as it stands in a link; hashed and compared as a code is. */
  readonly drawToken: () => string
  /** What the database keeps: HMAC-SHA256 over flow id and code, so that equal codes of two flows differ. */
  readonly hash: (flowId: string, code: string) => Buffer
  /** Whether `code` is the one behind `hash`. Takes the same time for any code; tries every secret, so that a rotation voids nothing. */
  readonly matches: (flowId: string, code: string, hash: Buffer) => boolean
}

/** @param secrets newest first, at least one: the newest hashes, all verify. */
export function openCodes(secrets: readonly string[]): Codes {
  const keys = secrets.map((secret) => deriveKey(secret, 'postrider/identity-code/v1'))
  const newest = keys[0]!
  return {
    draw: () => String(randomInt(1_000_000)).padStart(6, '0'),
    drawToken: () => randomBytes(32).toString('base64url'),
    hash: (flowId, code) => hashOf(newest, flowId, code),
    matches: (flowId, code, hash) => {
      let found = false
      for (const key of keys) found = timingSafeEqual(hashOf(key, flowId, code), hash) || found
      return found
    },
  }
}

/** Keyed hash of an address, for counting without keeping it: a dump of the table lists nobody. */
export function openAddressHash(secrets: readonly string[]): (identifier: string) => Buffer {
  const key = deriveKey(secrets[0]!, 'postrider/identity-throttle/v1')
  return (identifier) => createHmac('sha256', key).update(identifier).digest()
}

function hashOf(key: Buffer, flowId: string, code: string): Buffer {
  return createHmac('sha256', key).update(`${flowId}:${code}`).digest()
}

/** HKDF-SHA256 (RFC 5869): one key per purpose out of a secret that serves several. */
function deriveKey(secret: string, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32))
}
