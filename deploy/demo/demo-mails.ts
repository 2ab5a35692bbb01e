/** The mails of the demo: who gets what, in whose name, and what becomes of it. */
import { sampleData } from '#libs/templates'
import type { Outcome } from './outcomes.ts'

export interface DemoMail {
  readonly outcome: Outcome
  readonly message: {
    readonly project: string
    readonly recipient: string
    readonly template_type: string
    readonly template_data: Readonly<Record<string, unknown>>
    readonly locale?: string
    readonly expires_at?: string
  }
}

const NAMES = [
  ...['ada', 'grace', 'alan', 'edsger', 'barbara', 'donald', 'hedy', 'john', 'katherine', 'linus', 'margaret'],
  ...['niklaus', 'radia', 'tim', 'vint', 'yukihiro', 'leslie', 'frances', 'dennis', 'shafi'],
]
/** Reserved for documentation: nobody gets them, even if they went astray. */
const DOMAINS = ['example.com', 'example.org', 'example.net', 'mail.example.com', 'corp.example.org']
const TEMPLATES = [
  ...['login_code_valid', 'login_code_valid', 'registration_code_valid', 'verification_code_valid'],
  ...['recovery_code_valid', 'recovery_valid', 'verification_valid', 'verifiable_address_changed'],
]
const LOCALES = ['en', 'de', 'fr', undefined]
/** Of 100. What slows a whole channel down is not among them. */
const SHARES: readonly (readonly [Outcome, number])[] = [
  ['sent', 69],
  ['greylisted', 8],
  ['recovered', 4],
  ['deferred', 4],
  ['mailbox_full', 4],
  ['unknown_user', 5],
  ['disabled_user', 2],
  ['policy', 3],
  ['too_large', 1],
]

/** A mixture; recipients are new each time, so that no mail replaces another. @param run tells apart the runs of the demo */
export function mixedMails(projects: readonly string[], count: number, run: string): DemoMail[] {
  const outcomes = SHARES.flatMap(([outcome, share]) => Array.from({ length: share }, () => outcome))
  return Array.from({ length: count }, (_, index) => {
    // 37 shares no factor with 100: each hundred holds every share, well mixed.
    const outcome = outcomes[(index * 37) % outcomes.length] ?? 'sent'
    return demoMail({ project: pick(projects, index), outcome, run, number: index })
  })
}

export interface DemoMailOptions {
  readonly project: string
  readonly outcome: Outcome
  readonly run: string
  readonly number: number
  readonly template?: string
  readonly expiresInMs?: number
}

export function demoMail(options: DemoMailOptions): DemoMail {
  const {
    project,
    outcome,
    run,
    number,
    template = pick(TEMPLATES, number + Math.floor(number / 7)),
    expiresInMs,
  } = options
  const recipient = `${pick(NAMES, number)}.${run}.${number}@${pick(DOMAINS, number + Math.floor(number / 3))}`
  const locale = pick(LOCALES, number)
  return {
    outcome,
    message: {
      project,
      recipient,
      template_type: template,
      template_data: { ...sampleData(template), to: recipient },
      ...(locale !== undefined && { locale }),
      ...(expiresInMs !== undefined && { expires_at: new Date(Date.now() + expiresInMs).toISOString() }),
    },
  }
}

function pick<T>(from: readonly T[], index: number): T {
  return from[index % from.length]!
}
