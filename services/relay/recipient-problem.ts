import { isCoded, messageOf } from '#libs/errors'
import { type ChannelId, validateRecipient } from '#libs/messages'

/** Why a channel cannot reach that recipient; undefined where it can. */
export function recipientProblem(channel: ChannelId, recipient: string): string | undefined {
  try {
    validateRecipient(channel, recipient)
    return undefined
  } catch (error) {
    if (isCoded(error, 'RECIPIENT_INVALID')) return messageOf(error)
    throw error
  }
}
