import { enqueueMails } from './enqueue-mails.ts'
import { proofMessage } from './messages.ts'
import type { IdentityPorts } from './ports.ts'
import { startFlow } from './start-flow.ts'
import { type Traits, targetOf } from './traits.ts'
import type { UserRequest } from './user-request.ts'

/**
 * Starts a registration and sends a code to the mail address, or by SMS where there is none. An address that already has an owner
 * gets a login code in its place, and the flow completes as a login: answer, statements and work are the same, and only the mailbox
 * tells.
 * @throws THROTTLED
 */
export function register(traits: Traits, request: UserRequest, ports: IdentityPorts): Promise<string> {
  const { settings } = ports
  const target = targetOf(traits)
  return startFlow(
    {
      kind: 'registration',
      target,
      method: 'code',
      traits,
      request,
      writeMail: (tx, proof, owner) => {
        const message =
          owner === undefined
            ? proofMessage(proof, { kind: 'registration', to: target.address, traits }, settings)
            : // To the owner's own spelling: where case matters to a mail server, another one may be another mailbox.
              proofMessage(proof, { kind: 'login', to: owner.address, identity: owner }, settings)
        return enqueueMails(tx, [message], ports)
      },
    },
    ports,
  )
}
