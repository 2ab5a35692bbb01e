import { createHash, randomBytes } from 'node:crypto'

/** A fresh session token: 32 random bytes behind a prefix by which secret scanners know it. */
export function drawSessionToken(): string {
  return `prst_${randomBytes(32).toString('base64url')}`
}

/** What the database keeps. A plain hash suffices: nobody guesses 256 random bits. */
export function hashSessionToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
