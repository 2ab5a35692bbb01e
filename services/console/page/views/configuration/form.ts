import type { Doc } from './document.ts'
import type { Problem } from './problems.ts'

/** What every control of the form reads and writes. */
export interface Form {
  readonly document: Doc
  /** As it is stored. */
  readonly base: Doc
  readonly problems: readonly Problem[]
  readonly isReadOnly: boolean
  /** @param value undefined takes the key away */
  readonly set: (at: string, value: unknown) => void
}
