import { CodedError, isCoded } from '#libs/errors'
import type { Sealer } from '#libs/messages'
import type { PageTokens } from './list-messages.ts'
import type { MessageCursor } from './message-repository.ts'

interface Token {
  readonly expires: number
  readonly after: MessageCursor | null
}

const LIFETIME_MS = 3_600_000
/** In place of a project, which gives page tokens a key that opens nothing else. */
const KEY_SALT = 'page-tokens'

/**
 * Page tokens say nothing to whoever holds them, end after an hour, and are one word of base64url. They are good for any list: the
 * filters stand beside them in the query.
 */
export function openPageTokens(sealer: Sealer, now: () => number = Date.now): PageTokens {
  return {
    encode: (cursor) => {
      const token: Token = { expires: now() + LIFETIME_MS, after: cursor ?? null }
      return Buffer.from(sealer.seal(KEY_SALT, 'page', token), 'latin1').toString('base64url')
    },
    decode: (text) => {
      const token = openToken(sealer, text)
      if (token === undefined) throw new CodedError('PAGE_TOKEN_INVALID', 'invalid pagination token')
      if (token.expires < now()) {
        throw new CodedError('PAGE_TOKEN_EXPIRED', 'page token expired, do not persist page tokens')
      }
      return token.after ?? undefined
    },
  }
}

function openToken(sealer: Sealer, text: string): Token | undefined {
  try {
    return sealer.open(KEY_SALT, Buffer.from(text, 'base64url').toString('latin1')) as Token
  } catch (error) {
    if (isCoded(error)) return undefined
    throw error
  }
}
