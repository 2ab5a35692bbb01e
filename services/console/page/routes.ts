/** Paths of the page and the view behind each. The console answers all of them with the same document. */
import { Mailbox } from './views/mailbox/mailbox.tsx'
import { MessageView } from './views/message/message-view.tsx'
import { Messages } from './views/messages/messages.tsx'
import { Overview } from './views/overview/overview.tsx'

export const VIEWS = [
  { pattern: /^\/$/, View: Overview },
  { pattern: /^\/messages$/, View: Messages },
  { pattern: /^\/mailbox$/, View: Mailbox },
  { pattern: /^\/messages\/(?<id>[^/]+)$/, View: MessageView },
] as const

export const NAVIGATION: readonly { readonly to: string; readonly label: string }[] = [
  { to: '/', label: 'Overview' },
  { to: '/messages', label: 'Messages' },
  { to: '/mailbox', label: 'Mailbox' },
]
