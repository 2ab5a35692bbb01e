/** A test as a list of steps: each told with its time, and the first one that fails with what to change. */
import { performance } from 'node:perf_hooks'

export type StepName =
  | 'resolve'
  | 'connect'
  | 'tls'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'auth'
  | 'mail_from'
  | 'request'

export interface Step {
  readonly step: StepName
  /** null: not tried. */
  readonly ok: boolean | null
  readonly ms: number | null
  /** What was found. Never a credential. */
  readonly detail: string
  readonly remedy?: string
}

/** A step that failed. `detail` and `remedy` are words of ours, or codes: what a peer says is not trusted with secrets. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
  readonly remedy: string | undefined

  constructor(detail: string, remedy?: string) {
    super(detail)
    this.remedy = remedy
  }
}

export interface Steps {
  /** Does `work` as the next step; nothing where an earlier one failed. @returns what it gave; undefined where it failed */
  readonly take: <T>(step: StepName, work: () => Promise<readonly [found: T, detail: string]>) => Promise<T | undefined>
  /** Notes that a step is left out, and why. */
  readonly skip: (step: StepName, detail: string) => void
  readonly list: () => readonly Step[]
  readonly hasFailed: () => boolean
}

/** @param explain words and remedy for an error that is no StepFailed */
export function openSteps(explain: (error: unknown) => StepFailed): Steps {
  const steps: Step[] = []
  let failed = false
  return {
    take: async (step, work) => {
      if (failed) {
        steps.push({ step, ok: null, ms: null, detail: 'Not tried, since an earlier step failed.' })
        return undefined
      }
      const startedMs = performance.now()
      const ms = (): number => Math.round(performance.now() - startedMs)
      try {
        const [found, detail] = await work()
        steps.push({ step, ok: true, ms: ms(), detail })
        return found
      } catch (error) {
        failed = true
        const { message, remedy } = error instanceof StepFailed ? error : explain(error)
        steps.push({ step, ok: false, ms: ms(), detail: message, ...(remedy !== undefined && { remedy }) })
        return undefined
      }
    },
    skip: (step, detail) => {
      steps.push({ step, ok: null, ms: null, detail })
    },
    list: () => steps,
    hasFailed: () => failed,
  }
}
