/** What the use cases touch outside themselves; built once in main.ts. */
import type { Tracer } from '@opentelemetry/api'
import type { Database } from '#libs/database'
import type { Outbox } from '#libs/outbox'
import type { Codes } from './code.ts'
import type { MailLimit } from './identity-repository.ts'

export interface IdentityPorts {
  readonly database: Database
  readonly outbox: Outbox
  /** Tells the relay that something was committed: a hint, since it looks by itself too. */
  readonly wakeRelay: () => void
  readonly tracer: Tracer
  readonly codes: Codes
  /** Keyed hash of an address' identifier. */
  readonly addressHash: (identifier: string) => Buffer
  readonly settings: IdentitySettings
}

export interface IdentitySettings {
  /** As users reach this service, without a slash at the end. */
  readonly publicUrl: string
  /** How long a code is good. */
  readonly codeLifespanMs: number
  readonly sessionLifespanMs: number
  readonly mailLimit: MailLimit
  /** Topic that the relay will publish codes to; named in spans. */
  readonly messagesTopic: string
}
