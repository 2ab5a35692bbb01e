import { CodedError } from '#libs/errors'
import { sessionJson } from './identity.ts'
import { findSession } from './identity-repository.ts'
import type { IdentityPorts } from './ports.ts'
import { hashSessionToken } from './session-token.ts'

/**
 * The session behind a token.
 * @throws SESSION_INVALID, the same for no token, an unknown one and an ended session
 */
export async function whoami(
  token: string | undefined,
  { database, settings }: Pick<IdentityPorts, 'database' | 'settings'>,
): Promise<Record<string, unknown>> {
  const session = token === undefined ? undefined : await findSession(database, hashSessionToken(token))
  if (session === undefined) throw new CodedError('SESSION_INVALID', 'No valid session was found for this request.')
  return sessionJson(session, settings.publicUrl)
}
