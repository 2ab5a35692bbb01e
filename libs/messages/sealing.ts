/**
 * Sealing: JWE compact (RFC 7516, `dir`, A256GCM) so that codes and addresses are never in clear outside the services that need them.
 * Key = HKDF-SHA256(secret, salt = project id, info); the newest secret seals, all open; the key id is the first 8 hex of SHA-256(secret).
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto'
import { CodedError } from '#libs/errors'

export interface Sealer {
  /** @returns JWE compact; its protected header binds the message id. */
  readonly seal: (projectId: string, id: string, content: unknown) => string
  /** @throws SEAL_UNKNOWN_KEY (a secret is missing here: wait, never drop), SEAL_BROKEN (not ours or altered). */
  readonly open: (projectId: string, jwe: string) => unknown
  /** `kid.hex`: keyed hash of `value` within the project, under the newest secret. */
  readonly hmac: (projectId: string, value: string) => string
  /** The same under every secret, newest first: what a search must try. */
  readonly hmacs: (projectId: string, value: string) => string[]
}

interface Secret {
  readonly kid: string
  readonly sealKey: (projectId: string) => KeyObject
  readonly hmacKey: (projectId: string) => KeyObject
}

const IV_BYTES = 12
const TAG_BYTES = 16

/** @param secrets newest first, each at least 16 characters. */
export function openSealer(secrets: readonly string[]): Sealer {
  if (secrets.length === 0)
    throw new CodedError('CONFIG_INVALID', 'secrets.cipher: found nothing, needs at least one secret')
  const known = secrets.map(secretOf)
  const newest = known[0]!
  const byKid = new Map(known.map((secret) => [secret.kid, secret]))

  return {
    seal: (projectId, id, content) => {
      const header = base64url(`{"alg":"dir","enc":"A256GCM","kid":"${newest.kid}","id":"${id}"}`)
      const iv = nextIv()
      const cipher = createCipheriv('aes-256-gcm', newest.sealKey(projectId), iv)
      cipher.setAAD(Buffer.from(header, 'latin1'))
      const body = cipher.update(JSON.stringify(content), 'utf8')
      const rest = cipher.final()
      const text = rest.length === 0 ? body : Buffer.concat([body, rest])
      return `${header}..${iv.toString('base64url')}.${text.toString('base64url')}.${cipher.getAuthTag().toString('base64url')}`
    },
    open: (projectId, jwe) => openJwe(byKid, projectId, jwe),
    hmac: (projectId, value) => hmacOf(newest, projectId, value),
    hmacs: (projectId, value) => known.map((secret) => hmacOf(secret, projectId, value)),
  }
}

function openJwe(byKid: ReadonlyMap<string, Secret>, projectId: string, jwe: string): unknown {
  const parts = jwe.split('.')
  const [header, , iv, text, tag] = parts
  if (parts.length !== 5 || !header || !iv || text === undefined || !tag) throw broken('expected five parts')
  const kid = kidOf(header)
  const secret = byKid.get(kid)
  if (!secret) throw new CodedError('SEAL_UNKNOWN_KEY', `sealed with key ${kid}: add its secret to secrets.cipher`)
  const ivBytes = Buffer.from(iv, 'base64url')
  const tagBytes = Buffer.from(tag, 'base64url')
  if (ivBytes.length !== IV_BYTES || tagBytes.length !== TAG_BYTES) throw broken('wrong length of iv or tag')
  const decipher = createDecipheriv('aes-256-gcm', secret.sealKey(projectId), ivBytes)
  decipher.setAAD(Buffer.from(header, 'latin1'))
  decipher.setAuthTag(tagBytes)
  try {
    return JSON.parse(decipher.update(text, 'base64url', 'utf8') + decipher.final('utf8'))
  } catch (cause) {
    throw broken('the content does not match its tag', cause)
  }
}

function kidOf(header: string): string {
  let parsed: { alg?: unknown; enc?: unknown; kid?: unknown }
  try {
    parsed = JSON.parse(Buffer.from(header, 'base64url').toString())
  } catch (cause) {
    throw broken('unreadable header', cause)
  }
  if (parsed.alg !== 'dir' || parsed.enc !== 'A256GCM' || typeof parsed.kid !== 'string')
    throw broken('unexpected header')
  return parsed.kid
}

function broken(why: string, cause?: unknown): CodedError {
  return new CodedError('SEAL_BROKEN', `sealed: ${why}`, { cause })
}

function secretOf(secret: string): Secret {
  return {
    kid: createHash('sha256').update(secret).digest('hex').slice(0, 8),
    sealKey: keyring(secret, 'postrider/seal/v1'),
    hmacKey: keyring(secret, 'postrider/hmac/v1'),
  }
}

/**
 * Derived keys are kept: HKDF costs as much as sealing a whole mail. Bounded, since projects are not.
 * As key objects: from plain bytes Node makes one at each call, which costs three times the encryption of a mail.
 */
function keyring(secret: string, info: string): (projectId: string) => KeyObject {
  const keys = new Map<string, KeyObject>()
  return (projectId) => {
    let key = keys.get(projectId)
    if (!key) {
      if (keys.size >= 10_000) keys.clear()
      key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, projectId, info, 32)))
      keys.set(projectId, key)
    }
    return key
  }
}

function hmacOf(secret: Secret, projectId: string, value: string): string {
  const digest = createHmac('sha256', secret.hmacKey(projectId)).update(value).digest('hex')
  return `${secret.kid}.${digest.slice(0, 32)}`
}

/** Random IVs (NIST SP 800-38D, 8.2.2), drawn in bulk: one system call for 1,024 messages. */
const pool = Buffer.alloc(IV_BYTES * 1024)
let used = pool.length
function nextIv(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const iv = Buffer.from(pool.subarray(used, used + IV_BYTES))
  used += IV_BYTES
  return iv
}

function base64url(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64url')
}
