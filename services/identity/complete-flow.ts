/** The second half of every flow: the right code makes an identity or opens a session. */
import { randomUUID } from 'node:crypto'
import { CodedError } from '#libs/errors'
import { isUuid } from '#libs/messages'
import { identityJson } from './identity.ts'
import {
  createIdentity,
  type FlowKind,
  findOwner,
  flowExists,
  openSession,
  type TriedFlow,
  takeTry,
} from './identity-repository.ts'
import type { IdentityPorts } from './ports.ts'
import { drawSessionToken, hashSessionToken } from './session-token.ts'
import { identifierOf, type Traits } from './traits.ts'

/** The sixth try is refused whatever it says: five of a million codes is what an attacker gets per mail. */
const MAX_TRIES = 5

/**
 * Completes a flow. A registration answers the new identity; a login, and a registration whose address has an owner by now,
 * answers `{session_token, identity}`.
 * @throws CODE_WRONG, FLOW_GONE (spent, expired or out of tries), FLOW_UNKNOWN
 */
export async function completeFlow(
  kind: FlowKind,
  flowId: string,
  code: string,
  ports: IdentityPorts,
): Promise<Record<string, unknown>> {
  const flow = await takeTryOrThrow(kind, flowId, ports)
  const isRight = ports.codes.matches(flowId, code, flow.code_hash)
  const ownerId = flow.identity_id
  if (isRight && ownerId !== null) return startSession(flowId, ownerId, ports)
  if (isRight && flow.traits !== null) return createOrLogIn(flowId, flow.traits, ports)
  // Also a login for an address that nobody owns: its code was never sent, and guessing it gains nothing.
  throw new CodedError('CODE_WRONG', 'The code is wrong.')
}

async function takeTryOrThrow(kind: FlowKind, flowId: string, { database }: IdentityPorts): Promise<TriedFlow> {
  if (!isUuid(flowId)) throw unknownFlow()
  const flow = await takeTry(database, flowId, kind, MAX_TRIES)
  if (flow !== undefined) return flow
  throw (await flowExists(database, flowId, kind)) ? goneFlow() : unknownFlow()
}

async function createOrLogIn(flowId: string, traits: Traits, ports: IdentityPorts): Promise<Record<string, unknown>> {
  const identifier = identifierOf(traits.email)
  const created = await createIdentity(ports.database, flowId, {
    id: randomUUID(),
    addressId: randomUUID(),
    identifier,
    address: traits.email,
  })
  if (created !== undefined) return identityJson(created, ports.settings.publicUrl)
  // Another flow for the same address came first: whoever holds a code from that mailbox is its owner.
  const ownerId = await findOwner(ports.database, identifier, traits.email)
  if (ownerId === undefined) throw goneFlow()
  return startSession(flowId, ownerId, ports)
}

async function startSession(
  flowId: string,
  identityId: string,
  { database, settings }: IdentityPorts,
): Promise<Record<string, unknown>> {
  const session_token = drawSessionToken()
  const identity = await openSession(database, flowId, identityId, {
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
  return new CodedError('FLOW_GONE', 'This flow is over: start a new one to get a new code.')
}
