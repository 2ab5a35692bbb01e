/** Lets whoever revealed a message see its document for two minutes: nobody else, and of no other message. */
import { isCoded } from '#libs/errors'
import type { Sealer } from '#libs/messages'

export interface Revealed {
  readonly messageId: string
  /** Id of the key; empty on loopback without one. */
  readonly keyId: string
}

export interface RevealTokens {
  readonly make: (revealed: Revealed) => string
  readonly isGood: (token: string, asked: Revealed) => boolean
}

const LIFETIME_MS = 120_000
/** In place of a project, which gives these tokens a key that opens nothing else. */
const KEY_SALT = 'content-reveal'

export function openRevealTokens(sealer: Sealer, now: () => number = Date.now): RevealTokens {
  function open(token: string): (Revealed & { readonly expires: number }) | undefined {
    try {
      return sealer.open(KEY_SALT, Buffer.from(token, 'base64url').toString('latin1')) as never
    } catch (error) {
      if (isCoded(error)) return undefined
      throw error
    }
  }

  return {
    make: (revealed) => {
      const sealed = sealer.seal(KEY_SALT, 'reveal', { ...revealed, expires: now() + LIFETIME_MS })
      return Buffer.from(sealed, 'latin1').toString('base64url')
    },
    isGood: (token, { messageId, keyId }) => {
      const found = open(token)
      if (found === undefined || found.expires < now()) return false
      return found.messageId === messageId && found.keyId === keyId
    },
  }
}
