/** Step by step to the mail server and back, with a remedy for the step that fails. */
import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { duration, words } from '../../format.ts'
import { Loading, Problem } from '../../parts/notices.tsx'
import { configPath, type Draft, isDirty } from './drafts.ts'

interface Step {
  readonly step: string
  /** null where it was not tried. */
  readonly ok: boolean | null
  readonly ms?: number | null
  readonly detail?: string | null
  readonly remedy?: string | null
}

interface TestConnectionProps {
  readonly project: string
  readonly draft: Draft
}

export function TestConnection({ project, draft }: TestConnectionProps) {
  const [state, setState] = useState<{ steps?: readonly Step[]; error?: Error; isRunning?: boolean }>({})
  const isOfDraft = isDirty(draft)
  const run = async (): Promise<void> => {
    setState({ isRunning: true })
    try {
      const body = isOfDraft ? { identity_config: draft.document } : {}
      setState({ steps: stepsOf((await post<unknown>(`${configPath(project)}/test-connection`, body)).body) })
    } catch (error) {
      setState({ error: error as Error })
    }
  }
  const { steps, error, isRunning = false } = state
  return (
    <section class="card">
      <h2>Test connection</h2>
      <p class="hint">
        Connects and signs in, and sends nothing. {isOfDraft && 'Tests what is in the form, saved or not.'}
      </p>
      <button type="button" class="primary" disabled={isRunning} onClick={run}>
        {steps === undefined && error === undefined ? 'Test connection' : 'Test again'}
      </button>
      <div aria-live="polite" aria-busy={isRunning}>
        {isRunning && <Loading lines={4} label="Testing" />}
        {error && <Problem error={error} />}
        {steps && <Steps steps={steps} />}
      </div>
    </section>
  )
}

function stepsOf(body: unknown): readonly Step[] {
  return Array.isArray(body) ? body : ((body as { steps?: Step[] }).steps ?? [])
}

function Steps({ steps }: { steps: readonly Step[] }) {
  const isGood = !steps.some(({ ok }) => ok === false)
  return (
    <>
      <p class="outcome" data-tone={isGood ? 'good' : 'bad'}>
        {isGood ? 'It works.' : 'It does not work yet.'}
      </p>
      <ol class="checks">
        {steps.map(({ step, ok, ms, detail, remedy }) => (
          <li key={step} data-tone={ok === null ? 'off' : ok ? 'good' : 'bad'}>
            <span class="mark" aria-hidden="true">
              {ok === null ? '–' : ok ? '✓' : '✕'}
            </span>
            <div>
              <b>{nameOf(step)}</b>{' '}
              <span class="visually-hidden">{ok === null ? 'skipped' : ok ? 'passed' : 'failed'}</span>
              {ms != null && ok !== null && <span class="faint"> {duration(ms)}</span>}
              {detail && <div class="ink">{detail}</div>}
              {remedy && <p class="remedy">{remedy}</p>}
            </div>
          </li>
        ))}
      </ol>
    </>
  )
}

/** Abbreviations as they are written, everything else as words. */
function nameOf(step: string): string {
  return words(step).replace(/\b(dns|tcp|tls|ehlo|auth|starttls|http|url)\b/gi, (name) => name.toUpperCase())
}
