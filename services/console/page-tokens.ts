import { CodedError, isCoded } from '#libs/errors'
import { DEFAULT_PROJECT_ID, type Sealer } from '#libs/messages'
import type { PageTokens } from './list-messages.ts'
import type { MessageCursor } from './message-repository.ts'

interface Token {
  readonly use: 'page'
  readonly expires: number
  readonly after: MessageCursor | null
}

const LIFETIME_MS = 3_600_000

/** Page tokens that say nothing to whoever holds them, and end after an hour. */
export function openPageTokens(sealer: Sealer, now: () => number = Date.now): PageTokens {
  return {
    encode: (cursor) => {
      const token: Token = { use: 'page', expires: now() + LIFETIME_MS, after: cursor ?? null }
      return sealer.seal(DEFAULT_PROJECT_ID, 'page', token)
    },
    decode: (text) => {
      const token = openToken(sealer, text)
      if (token?.use !== 'page') throw new CodedError('PAGE_TOKEN_INVALID', 'invalid pagination token')
      if (token.expires < now()) {
        throw new CodedError('PAGE_TOKEN_EXPIRED', 'page token expired, do not persist page tokens')
      }
      return token.after ?? undefined
    },
  }
}

function openToken(sealer: Sealer, text: string): Token | undefined {
  try {
    return sealer.open(DEFAULT_PROJECT_ID, text) as Token
  } catch (error) {
    if (isCoded(error)) return undefined
    throw error
  }
}
