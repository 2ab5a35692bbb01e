/** The first half of every flow: one transaction writes the flow and the outbox row of the mail with its code. */
import { randomUUID } from 'node:crypto'
import type { Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import type { CodeMail } from './code-mail.ts'
import type { IdentityRow } from './identity.ts'
import { type FlowKind, startFlow as insertFlow, mailFreeInMs, type StartedFlow } from './identity-repository.ts'
import type { IdentityPorts } from './ports.ts'
import { identifierOf, type Traits } from './traits.ts'

export interface FlowRequest {
  readonly kind: FlowKind
  readonly address: string
  readonly traits: Traits | null
  /** Writes the mail for an address whose owner, if any, is given. */
  readonly writeMail: (tx: Tx, mail: Omit<CodeMail, 'about'>, owner: IdentityRow | undefined) => Promise<void>
}

/**
 * Starts a flow and returns its id; after a throw nothing is stored and nothing will be sent.
 * @throws THROTTLED, whether or not the address is known
 */
export async function startFlow(request: FlowRequest, ports: IdentityPorts): Promise<string> {
  const { codes, database, settings } = ports
  const id = randomUUID()
  const code = codes.draw()
  await database.transaction(async (tx) => {
    const { expiresAt, owner } = await insertOrThrottle(tx, id, codes.hash(id, code), request, ports)
    const requestUrl = `${settings.publicUrl}/self-service/${request.kind}`
    await request.writeMail(tx, { to: request.address, code, expiresAt, requestUrl }, owner)
  })
  return id
}

async function insertOrThrottle(
  tx: Tx,
  id: string,
  codeHash: Buffer,
  { kind, address, traits }: FlowRequest,
  { addressHash, settings }: IdentityPorts,
): Promise<StartedFlow> {
  const identifier = identifierOf(address)
  const hash = addressHash(identifier)
  const flow = { id, kind, identifier, addressHash: hash, codeHash, traits, lifespanMs: settings.codeLifespanMs }
  const started = await insertFlow(tx, flow, settings.mailLimit)
  if (started !== undefined) return started
  const retryAfterMs = await mailFreeInMs(tx, hash, settings.mailLimit)
  throw new CodedError('THROTTLED', 'This address has been sent enough mails for now.', { details: { retryAfterMs } })
}
