/** What is sealed of a try, since it may name the recipient: for those who may read the message. */
import type { SealedDetails, Sealer } from '#libs/messages'
import { maskText } from './insights/content/mask-text.ts'
import { openSealed } from './open-sealed.ts'

export interface AttemptDetails {
  /** null where the try is older than this was kept, or its secret is missing here; so are the others. */
  readonly peer: SealedDetails['peer'] | null
  readonly reused: boolean | null
  /** Only beside a single message, as `conversation`. */
  readonly reply_text?: string | null
  readonly conversation?: readonly string[] | null
}

/** @param withWords also what the two sides said to each other */
export function attemptDetails(
  row: { readonly project_id: string; readonly sealed: string | null; readonly command: string | null },
  sealer: Sealer,
  withWords: boolean,
): AttemptDetails {
  const details = openSealed<SealedDetails>(row, sealer)
  const { peer = null, reused = null, reply_text: said = null, conversation = null } = details ?? {}
  // HTTP providers repeat the message that they took, code and all; mail servers do not.
  const reply_text = said !== null && row.command === HTTP ? maskText(said) : said
  return { peer, reused, ...(withWords && { reply_text, conversation }) }
}

const HTTP = 'HTTP'
