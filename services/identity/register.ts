import { enqueueCode } from './code-mail.ts'
import type { IdentityPorts } from './ports.ts'
import { startFlow } from './start-flow.ts'
import type { Traits } from './traits.ts'

/**
 * Starts a registration and mails a code. An address that already has an owner gets a login code in its place, and the flow
 * completes as a login: answer, statements and work are the same, and only the mailbox tells.
 * @throws THROTTLED
 */
export function register(traits: Traits, ports: IdentityPorts): Promise<string> {
  return startFlow(
    {
      kind: 'registration',
      address: traits.email,
      traits,
      writeMail: (tx, mail, owner) =>
        enqueueCode(
          tx,
          // To the owner's own spelling: where case matters to a mail server, another one may be another mailbox.
          owner === undefined
            ? { ...mail, about: { traits } }
            : { ...mail, to: owner.address, about: { identity: owner } },
          ports,
        ),
    },
    ports,
  )
}
