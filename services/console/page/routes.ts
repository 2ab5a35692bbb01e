/** Paths of the page and the view behind each. The console answers all of them with the same document. */
import { Audit } from './views/audit/audit.tsx'
import { Configuration } from './views/configuration/configuration.tsx'
import { Keys } from './views/keys/keys.tsx'
import { Mailbox } from './views/mailbox/mailbox.tsx'
import { MessageView } from './views/message/message-view.tsx'
import { Messages } from './views/messages/messages.tsx'
import { Overview } from './views/overview/overview.tsx'
import { Templates, TemplateView } from './views/templates/templates.tsx'

export const VIEWS = [
  { pattern: /^\/$/, View: Overview },
  { pattern: /^\/messages$/, View: Messages },
  { pattern: /^\/mailbox$/, View: Mailbox },
  { pattern: /^\/messages\/(?<id>[^/]+)$/, View: MessageView },
  { pattern: /^\/configuration$/, View: Configuration },
  { pattern: /^\/templates$/, View: Templates },
  { pattern: /^\/templates\/(?<type>[^/]+)$/, View: TemplateView },
  { pattern: /^\/keys$/, View: Keys },
  { pattern: /^\/audit$/, View: Audit },
] as const

export const NAVIGATION: readonly { readonly to: string; readonly label: string }[] = [
  { to: '/', label: 'Overview' },
  { to: '/messages', label: 'Messages' },
  { to: '/mailbox', label: 'Mailbox' },
  { to: '/configuration', label: 'Configuration' },
  { to: '/templates', label: 'Templates' },
  { to: '/keys', label: 'API keys' },
  { to: '/audit', label: 'Audit' },
]
