/** What a try came upon, before it is put into classes and words. */
import type { ConnectProblem } from '#libs/resources'

export type HttpSignal =
  | { readonly kind: 'expired' | 'closing' | 'late' | 'cancelled' }
  /** The template, or what it made, is at fault. */
  | { readonly kind: 'template'; readonly problem: string }
  /** The template cannot be had now. */
  | { readonly kind: 'no_template'; readonly problem: string }
  | { readonly kind: 'engine'; readonly isBusy: boolean; readonly problem: string }
  /** No connection, or none that took the whole request: the provider does not know the mail. */
  | { readonly kind: 'unconnected'; readonly problem: ConnectProblem }
  | { readonly kind: 'unsent'; readonly isTimeout: boolean }
  /** The request left as a whole and no answer came. */
  | { readonly kind: 'unanswered'; readonly isTimeout: boolean }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs: number | undefined }
