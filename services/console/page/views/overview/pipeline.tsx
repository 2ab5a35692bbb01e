/** Where mail is right now, from the outbox to this page: how much, and how old the oldest is. */
import { get } from '../../api.ts'
import { count, duration } from '../../format.ts'
import { useLoad } from '../../load.ts'
import { project } from '../../location.ts'
import type { Stage } from './stats.ts'

const NAMES: Readonly<Record<string, string>> = {
  outbox: 'Outbox',
  topic: 'Kafka',
  sending: 'Being sent',
  waiting: 'Waiting for a retry',
  projector: 'Projection',
}
/** An age from which a stage is worth a look, in seconds; waiting mail is late only when it is overdue. */
const LATE_S = 30

export function Pipeline() {
  const load = async (signal: AbortSignal): Promise<Stage[]> =>
    (await get<Stage[]>('/admin/courier/pipeline', { project: project.value }, signal)).body
  const { data } = useLoad(`pipeline ${project.value}`, load, 5_000)
  if (data === undefined) return null
  return (
    <section aria-label="Pipeline">
      <h2>Pipeline</h2>
      <ol class="pipeline">
        {data.map(({ stage, count: waiting, oldest_age_s, note }) => (
          <li
            key={stage}
            class="card"
            title={note}
            data-late={oldest_age_s !== null && oldest_age_s > LATE_S && stage !== 'waiting'}
          >
            <span class="faint">{NAMES[stage] ?? stage}</span>
            <b>{waiting === null ? '–' : count(waiting)}</b>
            <span class="faint">{told(waiting, oldest_age_s)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function told(waiting: number | null, oldestAgeS: number | null): string {
  if (oldestAgeS !== null && oldestAgeS > 0) return `oldest ${duration(oldestAgeS * 1_000)}`
  return waiting === null ? 'not known' : waiting === 0 ? 'nothing waits' : 'just now'
}
