/** The second half of every flow: the right code or token makes an identity, opens a session or verifies an address. */
import { randomUUID } from 'node:crypto'
import { pgCode } from '#libs/database'
import { CodedError } from '#libs/errors'
import { type ChannelId, isUuid } from '#libs/messages'
import { type FlowKind, flowExists, lookAtFlow, type TriedFlow, takeTry } from './flow-repository.ts'
import { addressJson, identityJson } from './identity.ts'
import {
  createIdentity,
  findOwner,
  type NewAddress,
  openSession,
  releaseClaim,
  verifyAddress,
} from './identity-repository.ts'
import type { IdentityPorts } from './ports.ts'
import { drawSessionToken, hashSessionToken } from './session-token.ts'
import { identifierOf, TRAIT_OF, type Traits } from './traits.ts'

/** The sixth try is refused whatever it says: five of a million codes is what an attacker gets per mail. */
const MAX_TRIES = 5
const UNIQUE_VIOLATION = '23505'

/**
 * Completes a flow. A registration answers the new identity; a login, a recovery, and a registration whose address has an owner by
 * now, answers `{session_token, identity}`, and other sessions of the identity go on. A verification answers the address; it may be
 * repeated until it expires, since mail scanners open links before their readers do.
 * @param secret the code, or the token of a link
 * @throws CODE_WRONG, FLOW_GONE (spent, expired, out of tries, or its address replaced), FLOW_UNKNOWN, ADDRESS_TAKEN
 */
export async function completeFlow(
  kind: FlowKind,
  flowId: string,
  secret: string,
  ports: IdentityPorts,
): Promise<Record<string, unknown>> {
  const flow = await takeTryOrThrow(kind, flowId, ports)
  const isRight = ports.codes.matches(flowId, secret, flow.code_hash)
  if (isRight && flow.identity_id !== null) {
    if (kind === 'verification') return verify(flowId, ports)
    return startSession(flowId, { identityId: flow.identity_id, addressId: flow.address_id }, ports)
  }
  if (isRight && flow.traits !== null) return createOrLogIn(flowId, flow.via, flow.traits, ports)
  // Also a flow for an address that nobody owns: its code was never sent, and guessing it gains nothing.
  throw new CodedError('CODE_WRONG', 'The code or link is wrong.')
}

/**
 * Spends nothing. That a flow is over is told only to who holds its secret: whether its link was used is nobody else's business, since
 * only what was mailed to an owner can be.
 * @throws FLOW_GONE, FLOW_UNKNOWN
 */
export async function checkNotOver(
  kind: FlowKind,
  flowId: string,
  secret: string,
  { codes, database }: IdentityPorts,
): Promise<void> {
  const flow = await lookAtFlow(database, flowId, kind)
  if (flow === undefined) throw unknownFlow()
  const isRight = codes.matches(flowId, secret, flow.code_hash)
  if (isRight && flow.is_over) throw goneFlow()
}

async function takeTryOrThrow(kind: FlowKind, flowId: string, { database }: IdentityPorts): Promise<TriedFlow> {
  if (!isUuid(flowId)) throw unknownFlow()
  const flow = await takeTry(database, flowId, kind, MAX_TRIES)
  if (flow !== undefined) return flow
  throw (await flowExists(database, flowId, kind)) ? goneFlow() : unknownFlow()
}

async function verify(flowId: string, { database }: IdentityPorts): Promise<Record<string, unknown>> {
  const verified = await verifyAddress(database, flowId)
  if (verified === undefined) throw goneFlow()
  return {
    state: 'passed_challenge',
    verified: true,
    already_verified: verified.already,
    verifiable_address: addressJson(verified.address),
  }
}

async function createOrLogIn(
  flowId: string,
  via: ChannelId,
  traits: Traits,
  ports: IdentityPorts,
): Promise<Record<string, unknown>> {
  const proven = newAddress(via, traits)
  if (proven === undefined) throw goneFlow()
  const other = newAddress(via === 'email' ? 'sms' : 'email', traits)
  await releaseClaim(ports.database, flowId, proven)
  const created = await createIdentity(ports.database, flowId, { id: randomUUID(), proven, other }).catch(refuseTaken)
  if (created !== undefined) return identityJson(created, ports.settings.publicUrl)
  // Another flow for the same address came first: whoever holds a code from that mailbox is its owner.
  const owner = await findOwner(ports.database, proven.identifier, proven.value)
  if (owner === undefined) throw goneFlow()
  return startSession(flowId, { identityId: owner.identity_id, addressId: owner.address_id }, ports)
}

function newAddress(via: ChannelId, traits: Traits): NewAddress | undefined {
  const value = traits[TRAIT_OF[via]]
  return value === undefined ? undefined : { id: randomUUID(), via, identifier: identifierOf(value), value }
}

function refuseTaken(error: unknown): never {
  throw pgCode(error) === UNIQUE_VIOLATION ? takenAddress({ cause: error }) : error
}

export function takenAddress(options: { cause?: unknown } = {}): CodedError {
  return new CodedError('ADDRESS_TAKEN', 'Another identity has this address or phone number.', options)
}

async function startSession(
  flowId: string,
  owner: { identityId: string; addressId: string | null },
  { database, settings }: IdentityPorts,
): Promise<Record<string, unknown>> {
  const session_token = drawSessionToken()
  const identity = await openSession(database, flowId, owner, {
    id: randomUUID(),
    tokenHash: hashSessionToken(session_token),
    lifespanMs: settings.sessionLifespanMs,
  })
  if (identity === undefined) throw goneFlow()
  return { session_token, identity: identityJson(identity, settings.publicUrl) }
}

function unknownFlow(): CodedError {
  return new CodedError('FLOW_UNKNOWN', 'There is no such flow.')
}

function goneFlow(): CodedError {
  return new CodedError('FLOW_GONE', 'This flow is over: start a new one to get a new code or link.')
}
