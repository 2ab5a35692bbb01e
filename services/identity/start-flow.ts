/** The first half of every flow: one transaction writes the flow and the outbox row of the mail with its code or link. */
import { randomUUID } from 'node:crypto'
import type { Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import {
  type FlowKind,
  startFlow as insertFlow,
  type Method,
  mailFreeInMs,
  type StartedFlow,
} from './flow-repository.ts'
import type { OwnerRow } from './identity.ts'
import { lifespanMs, type Proof } from './messages.ts'
import type { IdentityPorts } from './ports.ts'
import { identifierOf, type Target, type Traits } from './traits.ts'
import type { UserRequest } from './user-request.ts'

export interface FlowRequest {
  readonly kind: FlowKind
  readonly target: Target
  readonly method: Method
  readonly traits: Traits | null
  readonly request: UserRequest
  /** Writes the mail for an address whose owner, if any, is given. */
  readonly writeMail: (tx: Tx, proof: Proof, owner: OwnerRow | undefined) => Promise<void>
}

/**
 * Starts a flow and returns its id; after a throw nothing is stored and nothing will be sent.
 * @throws THROTTLED, whether or not the address is known
 */
export async function startFlow(flow: FlowRequest, ports: IdentityPorts): Promise<string> {
  const { codes, database, settings } = ports
  const { kind, method, request, target } = flow
  const flowId = randomUUID()
  const secret = method === 'link' ? codes.drawToken() : codes.draw()
  const requestUrl = `${settings.publicUrl}/self-service/${kind}`
  await database.transaction(async (tx) => {
    const { expiresAt, owner } = await insertOrThrottle(tx, flowId, codes.hash(flowId, secret), flow, ports)
    await flow.writeMail(tx, { flowId, via: target.via, method, secret, expiresAt, requestUrl, request }, owner)
  })
  return flowId
}

async function insertOrThrottle(
  tx: Tx,
  id: string,
  codeHash: Buffer,
  { kind, target, method, traits }: FlowRequest,
  { addressHash, settings }: IdentityPorts,
): Promise<StartedFlow> {
  const identifier = identifierOf(target.address)
  const hash = addressHash(identifier)
  const started = await insertFlow(
    tx,
    {
      id,
      kind,
      via: target.via,
      method,
      identifier,
      addressHash: hash,
      codeHash,
      traits,
      lifespanMs: lifespanMs(method, settings),
    },
    settings.mailLimit,
  )
  return started ?? throttled(tx, hash, settings)
}

/** @throws THROTTLED with the time to wait */
export async function throttled(
  tx: Tx,
  addressHash: Buffer,
  { mailLimit }: Pick<IdentityPorts['settings'], 'mailLimit'>,
): Promise<never> {
  const retryAfterMs = await mailFreeInMs(tx, addressHash, mailLimit)
  throw new CodedError('THROTTLED', 'This address has been sent enough mails for now.', { details: { retryAfterMs } })
}
