/** The recipient as it goes on the wire: checked again here, because a list or a line end in it would hand a code to a stranger. */
import { isCoded } from '#libs/errors'
import { recipientDomain, validateRecipient } from '#libs/messages'

export interface Envelope {
  readonly address: string
  /** The part before the @ has other than ASCII letters, so that the server must take SMTPUTF8 (RFC 6531). */
  readonly needsUtf8: boolean
}

const ASCII = /^[\x21-\x7e]+$/

/** The envelope, or what is wrong with the recipient, without the recipient. */
export function envelopeOf(recipient: string): Envelope | { readonly problem: string } {
  try {
    validateRecipient('email', recipient)
  } catch (error) {
    if (isCoded(error, 'RECIPIENT_INVALID')) return { problem: error.message }
    throw error
  }
  const local = recipient.slice(0, recipient.lastIndexOf('@'))
  return { address: `${local}@${recipientDomain(recipient)}`, needsUtf8: !ASCII.test(local) }
}
