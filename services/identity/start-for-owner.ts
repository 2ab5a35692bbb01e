import type { NewMessage } from '#libs/outbox'
import { enqueueMails } from './enqueue-mails.ts'
import { keepOrUndo, type Method } from './flow-repository.ts'
import { type Proof, proofMessage, standIn, unknownMessage } from './messages.ts'
import type { IdentityPorts } from './ports.ts'
import { startFlow } from './start-flow.ts'
import type { Target } from './traits.ts'
import type { UserRequest } from './user-request.ts'

export type OwnerFlowKind = 'login' | 'recovery' | 'verification'

/**
 * Starts a login, recovery or verification and sends a code or link to the identity's address, as the identity spells it. For an
 * address that nobody owns a mail of that kind is written to a savepoint and undone, or one that says so is written and kept, where
 * the settings want that: a flow that nothing completes, after the same statements and the same work.
 * @throws THROTTLED
 */
export function startForOwner(
  kind: OwnerFlowKind,
  { target, method, request }: { target: Target; method: Method; request: UserRequest },
  ports: IdentityPorts,
): Promise<string> {
  return startFlow(
    {
      kind,
      target,
      method,
      traits: null,
      request,
      writeMail: (tx, proof, owner) => {
        const notice = owner === undefined ? noticeFor(kind, proof, target, ports) : undefined
        const identity = owner ?? standIn(target)
        const message = notice ?? proofMessage(proof, { kind, to: identity.address, identity }, ports.settings)
        const isKept = owner !== undefined || notice !== undefined
        return keepOrUndo(tx, isKept, () => enqueueMails(tx, [message], ports))
      },
    },
    ports,
  )
}

/** What an address is told that nobody owns; undefined for nothing. */
function noticeFor(
  kind: OwnerFlowKind,
  proof: Proof,
  { via, address }: Target,
  { settings }: IdentityPorts,
): NewMessage | undefined {
  const isTold = kind !== 'login' && via === 'email' && settings.notifyUnknown[kind]
  return isTold ? unknownMessage(proof, kind, address) : undefined
}
