import { DEFAULT_LIFETIME_MS, MAX_LIFETIME_MS } from '#libs/messages'

export interface Lifespans {
  /** Of a code, ms. */
  readonly code: number
  /** Of a link, ms. */
  readonly link: number
}

const LINK_TYPES: ReadonlySet<string> = new Set(['recovery_valid', 'verification_valid'])

/**
 * How long a message is worth sending, in ms: as long as the code or link inside works, else 24 h; at most 5 days.
 * `expires_in_minutes` in the template data is what the recipient is told, so it counts first.
 */
export function lifetimeOf(
  { template_type, template_data }: { template_type: string; template_data: Readonly<Record<string, unknown>> },
  lifespans: Lifespans,
): number {
  const told = template_data.expires_in_minutes
  if (typeof told === 'number' && told > 0) return Math.min(told * 60_000, MAX_LIFETIME_MS)
  if (template_type.endsWith('_code_valid')) return Math.min(lifespans.code, MAX_LIFETIME_MS)
  if (LINK_TYPES.has(template_type)) return Math.min(lifespans.link, MAX_LIFETIME_MS)
  return DEFAULT_LIFETIME_MS
}
