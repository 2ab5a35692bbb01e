/** The name under which the provider knows an accepted mail: the way from our record into its log. */
import type { SmtpReply } from '#libs/smtp'

/** Postfix and most; Exim; Outlook; Gmail; then SES, Mailgun, Postmark and whoever says just `Ok <id>`. */
const FORMS = [
  /\bqueued as:? <?([^\s<>]+)>?/i,
  /\bid=([^\s<>;,]+)/i,
  /\bInternalId=(\d+)/i,
  /^ok +\d{9,11} +(\S+) +- +gsmtp/i,
  /^(?:ok|great success)[:,]? +<?([^\s<>]+)>?$/i,
]
const MAX_LENGTH = 255
/** Ids have a digit; `Ok queued` has none. */
const ID = /^(?=.*\d)[\x21-\x7e]+$/

/** undefined where the reply names none, or only repeats the recipient. */
export function providerIdOf(reply: SmtpReply, recipient: string): string | undefined {
  const text = (reply.lines.at(-1) ?? '').slice(reply.enhanced === undefined ? 0 : reply.enhanced.length).trim()
  for (const form of FORMS) {
    const id = form.exec(text)?.[1]?.replace(/[.,;]$/, '')
    if (id !== undefined && id.length <= MAX_LENGTH && ID.test(id)) {
      return id.toLowerCase().includes(recipient.toLowerCase()) ? undefined : id
    }
  }
  return undefined
}
