/** A user changes their own traits; a changed address is announced to the old one and has to be proven anew. */
import { randomUUID } from 'node:crypto'
import type { Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import { CHANNELS, type ChannelId } from '#libs/messages'
import type { NewMessage } from '#libs/outbox'
import { takenAddress } from './complete-flow.ts'
import { enqueueMails } from './enqueue-mails.ts'
import { countMail, startVerification } from './flow-repository.ts'
import { type IdentityRow, identityJson } from './identity.ts'
import { deleteAddress, insertAddress, lockIdentity, updateTraits } from './identity-repository.ts'
import { addressChangedMessage, proofMessage } from './messages.ts'
import type { IdentityPorts } from './ports.ts'
import { hashSessionToken } from './session-token.ts'
import { throttled } from './start-flow.ts'
import { changedTraits, identifierOf, TRAIT_OF, type Traits } from './traits.ts'
import type { UserRequest } from './user-request.ts'

export interface TraitsChange {
  readonly token: string | undefined
  readonly identityId: string
  readonly traits: unknown
  readonly request: UserRequest
}

/** An address of one kind that is replaced, added or taken away. */
interface AddressChange {
  readonly via: ChannelId
  readonly old: { readonly id: string; readonly value: string } | undefined
  readonly next: string | undefined
}

interface StartedVerification {
  readonly flowId: string
  readonly address: string
  readonly via: ChannelId
  readonly message: NewMessage
}

/**
 * Changes traits in one transaction with the mails that this causes: `verifiable_address_changed` to an old address, a verification
 * code to a new one, which counts as not verified until then. Codes and links that are on their way to the old one prove nothing any more.
 * @returns the identity as Ory shows it, with the verifications that wait for their codes under `continue_with`
 * @throws SESSION_INVALID, NOT_FOUND for an identity that is not the session's, REQUEST_INVALID, RECIPIENT_INVALID, ADDRESS_TAKEN, THROTTLED
 */
export async function changeTraits(change: TraitsChange, ports: IdentityPorts): Promise<Record<string, unknown>> {
  const { identity, started } = await ports.database.transaction((tx) => apply(tx, change, ports))
  return {
    ...identityJson(identity, ports.settings.publicUrl),
    continue_with: started.map(({ flowId, address, via }) => ({
      action: 'show_verification_ui',
      flow: { id: flowId, verifiable_address: address, via },
    })),
  }
}

async function apply(
  tx: Tx,
  { token, identityId, traits: given, request }: TraitsChange,
  ports: IdentityPorts,
): Promise<{ identity: IdentityRow; started: StartedVerification[] }> {
  const before = token === undefined ? undefined : await lockIdentity(tx, hashSessionToken(token))
  if (before === undefined) throw new CodedError('SESSION_INVALID', 'No valid session was found for this request.')
  if (before.id !== identityId) throw new CodedError('NOT_FOUND', 'The session has no such identity.')
  const traits = changedTraits(before.traits, given)
  const changes = addressChanges(before, traits)
  await countMails(tx, changes, ports)
  const added = []
  for (const change of changes) added.push(await replaceAddress(tx, before.id, change))
  const identity = await updateTraits(tx, before.id, traits)

  const started: StartedVerification[] = []
  for (const address of added)
    if (address !== undefined) started.push(await verifyNew(tx, identity, { ...address, request }, ports))
  const notices = changes.flatMap(({ via, old }) =>
    old === undefined ? [] : [addressChangedMessage({ via, address: old.value }, identity, request, ports.settings)],
  )
  const mails = [...notices, ...started.map(({ message }) => message)]
  if (mails.length > 0) await enqueueMails(tx, mails, ports)
  return { identity, started }
}

function addressChanges({ addresses }: IdentityRow, traits: Traits): AddressChange[] {
  return CHANNELS.map((via) => ({
    via,
    old: addresses.find((address) => address.via === via),
    next: traits[TRAIT_OF[via]],
  })).filter(({ old, next }) => old?.value !== next)
}

/** In one order for all, so that two changes that cross do not wait for each other. */
async function countMails(tx: Tx, changes: readonly AddressChange[], ports: IdentityPorts): Promise<void> {
  const { addressHash, settings } = ports
  const hashes = changes
    .flatMap(({ old, next }) => [old?.value, next])
    .flatMap((address) => (address === undefined ? [] : [addressHash(identifierOf(address))]))
    .sort(Buffer.compare)
  for (const hash of hashes) if (!(await countMail(tx, hash, settings.mailLimit))) await throttled(tx, hash, settings)
}

async function replaceAddress(
  tx: Tx,
  identityId: string,
  { via, old, next }: AddressChange,
): Promise<{ id: string; via: ChannelId; value: string } | undefined> {
  if (old !== undefined) await deleteAddress(tx, old.id)
  if (next === undefined) return undefined
  const address = { id: randomUUID(), via, identifier: identifierOf(next), value: next }
  if (!(await insertAddress(tx, identityId, address))) throw takenAddress()
  return address
}

async function verifyNew(
  tx: Tx,
  identity: IdentityRow,
  { id: addressId, via, value, request }: { id: string; via: ChannelId; value: string; request: UserRequest },
  { codes, settings }: IdentityPorts,
): Promise<StartedVerification> {
  const flowId = randomUUID()
  const secret = codes.draw()
  const flow = { id: flowId, via, codeHash: codes.hash(flowId, secret), lifespanMs: settings.codeLifespanMs }
  const expiresAt = await startVerification(tx, { ...flow, identityId: identity.id, addressId })
  const requestUrl = `${settings.publicUrl}/identities/${identity.id}`
  const proof = { flowId, via, method: 'code', secret, expiresAt, requestUrl, request } as const
  const message = proofMessage(proof, { kind: 'verification', to: value, identity }, settings)
  return { flowId, address: value, via, message }
}
