import { enqueueCode, standIn } from './code-mail.ts'
import { keepOrUndo } from './identity-repository.ts'
import type { IdentityPorts } from './ports.ts'
import { startFlow } from './start-flow.ts'

/**
 * Starts a login and mails a code to the identity's address, as the identity spells it. For an address that nobody owns the same
 * mail is written to a savepoint and undone: a flow that no code completes, after the same statements and the same work.
 * @throws THROTTLED
 */
export function logIn(address: string, ports: IdentityPorts): Promise<string> {
  return startFlow(
    {
      kind: 'login',
      address,
      traits: null,
      writeMail: (tx, mail, owner) => {
        const identity = owner ?? standIn(address)
        return keepOrUndo(tx, owner !== undefined, () =>
          enqueueCode(tx, { ...mail, to: identity.address, about: { identity } }, ports),
        )
      },
    },
    ports,
  )
}
