/** From what a request shows to who asks: a key, or the cookie of a browser that signed in with one. */
import { randomBytes } from 'node:crypto'
import type { Database } from '#libs/database'
import type { Principal } from '../access.ts'
import {
  deleteSignIn,
  findLiveKey,
  findSignIn,
  insertSignIn,
  type KeyWithHash,
  type SignInRow,
  touchKey,
} from './key-repository.ts'
import { isSameHash, parseToken, sha256 } from './key-token.ts'

export interface Authenticator {
  /** Asks the database each time, so that a revoked key is out at once. */
  readonly byToken: (token: string) => Promise<Principal | undefined>
  readonly byCookie: (cookie: string) => Promise<Principal | undefined>
  /** @returns the cookie's value, good for `SIGN_IN_MS`; undefined where the key is not good */
  readonly signIn: (token: string) => Promise<{ readonly principal: Principal; readonly cookie: string } | undefined>
  readonly signOut: (cookie: string) => Promise<void>
}

export const SIGN_IN_MS = 12 * 3_600_000
/** No id of a stored key. */
export const CONFIGURED_ID = 'configured'
const CONFIGURED: Principal = { name: 'admin-key', role: 'admin', keyId: CONFIGURED_ID, project: undefined }
const COOKIE_BYTES = 32

interface Proven {
  readonly principal: Principal
  readonly hash: Buffer
}

/** @param adminKey of the configuration; empty for none */
export function openAuthenticator(database: Database, adminKey: string): Authenticator {
  const configured = adminKey === '' ? undefined : sha256(adminKey)

  async function prove(token: string): Promise<Proven | undefined> {
    const hash = sha256(token)
    if (configured !== undefined && isSameHash(hash, configured)) return { principal: CONFIGURED, hash }
    const parsed = parseToken(token)
    return parsed === undefined ? undefined : proveStored(parsed.id, parsed.hash)
  }

  async function proveStored(id: string, hash: Buffer): Promise<Proven | undefined> {
    const row = await findLiveKey(database, id)
    if (row === undefined || !isSameHash(row.hash, hash)) return undefined
    if (isLongUnused(row)) await touchKey(database, id)
    return { principal: principalOf(row), hash }
  }

  async function proveSignIn({ key_id, key_hash }: SignInRow): Promise<Proven | undefined> {
    if (key_id !== CONFIGURED_ID) return proveStored(key_id, key_hash)
    const isGood = configured !== undefined && isSameHash(key_hash, configured)
    return isGood ? { principal: CONFIGURED, hash: key_hash } : undefined
  }

  return {
    byToken: async (token) => (await prove(token))?.principal,
    byCookie: async (cookie) => {
      const row = await findSignIn(database, sha256(cookie))
      return row && (await proveSignIn(row))?.principal
    },
    signIn: async (token) => {
      const proven = await prove(token)
      if (proven === undefined) return undefined
      const cookie = randomBytes(COOKIE_BYTES).toString('hex')
      const { principal, hash } = proven
      await insertSignIn(database, sha256(cookie), { key_id: principal.keyId, key_hash: hash }, SIGN_IN_MS)
      return { principal, cookie }
    },
    signOut: (cookie) => deleteSignIn(database, sha256(cookie)),
  }
}

/** Spares the statement that would change nothing. */
function isLongUnused({ last_used_at }: KeyWithHash): boolean {
  return last_used_at === null || Date.now() - last_used_at.getTime() > 60_000
}

function principalOf({ id, name, role, project_id, project }: KeyWithHash): Principal {
  const bound = project_id === null || project === null ? undefined : { id: project_id, slug: project }
  return { name, role, keyId: id, project: bound }
}
