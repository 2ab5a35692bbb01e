/**
 * Keys of the admin API: `pr_<id>_<secret>`. The prefix lets scanners find one that leaked, the id finds its row without telling how
 * much of a secret was right. 256 random bits cannot be guessed, so a plain SHA-256 is enough: a slow hash protects what people make up.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const ID_BYTES = 6
const SECRET_BYTES = 32
const TOKEN = /^pr_([0-9a-f]{12})_([0-9a-f]{64})$/

export interface NewKey {
  readonly id: string
  /** Shown once, kept nowhere. */
  readonly token: string
  readonly hash: Buffer
}

export function newKey(): NewKey {
  const id = randomBytes(ID_BYTES).toString('hex')
  const secret = randomBytes(SECRET_BYTES).toString('hex')
  return { id, token: `pr_${id}_${secret}`, hash: sha256(secret) }
}

/** undefined for anything that was never a key of ours. */
export function parseToken(token: string): { readonly id: string; readonly hash: Buffer } | undefined {
  const [, id, secret] = TOKEN.exec(token) ?? []
  return id === undefined || secret === undefined ? undefined : { id, hash: sha256(secret) }
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** In constant time. @param a, b hashes of one length */
export function isSameHash(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
