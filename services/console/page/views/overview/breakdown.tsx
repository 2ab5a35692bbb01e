/** What fails most, by several views of it; each line leads to its messages. */
import { count, words } from '../../format.ts'
import { hrefOf } from '../../location.ts'
import type { Counted, Stats } from './stats.ts'

const KINDS = [
  { kind: 'class', title: 'Failure', parameter: 'class' },
  { kind: 'reply_code', title: 'Reply code', parameter: 'reply_code' },
  { kind: 'template', title: 'Template', parameter: 'template_type' },
  { kind: 'domain', title: 'Recipient’s domain', parameter: 'domain' },
  { kind: 'provider', title: 'Provider', parameter: 'q' },
] as const

export function Breakdown({ stats, minutes }: { stats: Stats; minutes: number }) {
  const { breakdown } = stats
  if (KINDS.every(({ kind }) => breakdown[kind].length === 0)) return null
  return (
    <section>
      <h2>What failed</h2>
      <div class="grid narrow">
        {KINDS.map(({ kind, title, parameter }) => (
          <Ranking key={kind} title={title} parameter={parameter} rows={breakdown[kind]} minutes={minutes} />
        ))}
      </div>
    </section>
  )
}

function Ranking({
  title,
  parameter,
  rows,
  minutes,
}: {
  title: string
  parameter: string
  rows: readonly Counted[]
  minutes: number
}) {
  const most = Math.max(1, ...rows.map((row) => row.count))
  return (
    <section class="card">
      <h3>{title}</h3>
      {rows.length === 0 && <p class="faint">Nothing</p>}
      <ol class="ranking">
        {rows.map(({ key, count: failures }) => (
          <li key={key}>
            <a href={hrefOf('/messages', { [parameter]: key, since: String(minutes) })}>
              {parameter === 'class' || parameter === 'template_type' ? words(key) : key}
            </a>
            <span class="number">{count(failures)}</span>
            <span class="share" style={{ width: `${(failures / most) * 100}%` }} />
          </li>
        ))}
      </ol>
    </section>
  )
}
