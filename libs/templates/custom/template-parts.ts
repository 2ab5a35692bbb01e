/** The parts of a message, and where a template of one's own for each may be. */
import type { ChannelId } from '#libs/messages'
import type { MessageParts } from '../render-message.ts'

export interface TemplatePart {
  readonly name: keyof MessageParts
  readonly mode: 'text' | 'html'
  /** The name of the part's file without `.gotmpl`; every file that starts with it belongs to the same set. */
  readonly base: string
  /** Its key below that of the type in `courier.templates`. */
  readonly key: readonly string[]
}

export const TEMPLATE_PARTS: Readonly<Record<ChannelId, readonly TemplatePart[]>> = {
  email: [
    { name: 'subject', mode: 'text', base: 'email.subject', key: ['email', 'subject'] },
    { name: 'text', mode: 'text', base: 'email.body.plaintext', key: ['email', 'body', 'plaintext'] },
    { name: 'html', mode: 'html', base: 'email.body', key: ['email', 'body', 'html'] },
  ],
  sms: [{ name: 'text', mode: 'text', base: 'sms.body', key: ['sms', 'body', 'plaintext'] }],
}

export const BASES: readonly string[] = Object.values(TEMPLATE_PARTS).flatMap((parts) => parts.map(({ base }) => base))
