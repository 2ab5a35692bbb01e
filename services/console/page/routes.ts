/** Paths of the page and the view behind each. The console answers all of them with the same document. */
import { MessageView } from './views/message/message-view.tsx'
import { Messages } from './views/messages/messages.tsx'

export const VIEWS = [
  { pattern: /^\/(messages)?$/, View: Messages },
  { pattern: /^\/messages\/(?<id>[^/]+)$/, View: MessageView },
] as const

export const NAVIGATION: readonly { readonly to: string; readonly label: string }[] = [
  { to: '/messages', label: 'Messages' },
]
