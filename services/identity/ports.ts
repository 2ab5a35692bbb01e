/** What the use cases touch outside themselves; built once in main.ts. */
import type { Tracer } from '@opentelemetry/api'
import type { Database } from '#libs/database'
import type { Topics } from '#libs/messages'
import type { Outbox } from '#libs/outbox'
import type { Codes } from './code.ts'
import type { MailLimit } from './flow-repository.ts'

export interface IdentityPorts {
  readonly database: Database
  readonly outbox: Outbox
  /** Tells the relay that something was committed: a hint, since it looks by itself too. */
  readonly wakeRelay: () => void
  readonly tracer: Tracer
  readonly codes: Codes
  /** Keyed hash of an address' identifier. */
  readonly addressHash: (identifier: string) => Buffer
  /** As they are now: read anew for each request. */
  readonly settings: IdentitySettings
}

/** What the configuration of the project `default` says about flows; followed without a restart. */
export interface FlowSettings {
  /** How long a code is good. */
  readonly codeLifespanMs: number
  /** How long a link is good. */
  readonly linkLifespanMs: number
  /** What links start with, without a slash at the end. */
  readonly linkBaseUrl: string
  /** Whether a mail address that nobody owns is told that somebody tried. */
  readonly notifyUnknown: { readonly recovery: boolean; readonly verification: boolean }
  /** Names of the headers of a user's request that reach templates. */
  readonly headerAllowlist: readonly string[]
}

export interface IdentitySettings extends FlowSettings {
  /** As users reach this service, without a slash at the end. */
  readonly publicUrl: string
  readonly sessionLifespanMs: number
  readonly mailLimit: MailLimit
  /** That the relay will publish to; named in spans. */
  readonly topics: Pick<Topics, 'messages' | 'notices'>
}
