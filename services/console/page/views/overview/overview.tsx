/** How delivery goes: figures against the span before, outcomes and speed over time, what fails, and where mail waits. */
import { get } from '../../api.ts'
import { count, duration, percent } from '../../format.ts'
import { useLoad } from '../../load.ts'
import { project, query, setQuery } from '../../location.ts'
import { Chart } from '../../parts/chart.tsx'
import { Loading, Problem } from '../../parts/notices.tsx'
import { Breakdown } from './breakdown.tsx'
import { Channels } from './channels.tsx'
import { Pipeline } from './pipeline.tsx'
import { DEFAULT_SPAN, SPANS, type Stats, type Totals } from './stats.ts'

const REFRESH_MS = 10_000

export function Overview() {
  const minutes = Number(query.value.get('span') ?? DEFAULT_SPAN)
  const key = `${project.value} ${minutes}`
  const { data, error, reload } = useLoad(key, (signal) => loadStats(minutes, signal), REFRESH_MS)
  return (
    <>
      <div class="title">
        <h1>Email delivery</h1>
        <label class="check">
          Last
          <select
            value={String(minutes)}
            onChange={({ currentTarget: { value } }) => setQuery({ span: value === String(DEFAULT_SPAN) ? '' : value })}
          >
            {SPANS.map(({ label, minutes: each }) => (
              <option key={each} value={String(each)}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading lines={10} label="Loading figures" />}
      {data && <Figures stats={data} />}
      <Pipeline />
      <Channels />
      {data && <Breakdown stats={data} minutes={minutes} />}
    </>
  )
}

async function loadStats(minutes: number, signal: AbortSignal): Promise<Stats> {
  const from = new Date(Date.now() - minutes * 60_000).toISOString()
  const { body } = await get<Stats>('/admin/courier/stats', { project: project.value, from }, signal)
  return body
}

function Figures({ stats }: { stats: Stats }) {
  const { totals, previous, series, time_to_sent } = stats
  return (
    <>
      <Tiles totals={totals} previous={previous} />
      <div class="grid">
        <section class="card">
          <h2>Outcomes</h2>
          <Chart
            label="Outcomes of messages over time"
            kind="bars"
            instants={series.map(({ at }) => at)}
            show={count}
            series={[
              { name: 'Sent', tone: 'good', values: series.map(({ sent }) => sent) },
              { name: 'Deferred', tone: 'wait', values: series.map(({ deferred }) => deferred) },
              { name: 'Failed', tone: 'bad', values: series.map(({ failed }) => failed) },
              { name: 'Other', tone: 'off', values: series.map(({ other }) => other) },
            ]}
          />
        </section>
        <section class="card">
          <h2>Time to sent</h2>
          <Chart
            label="Time from the accepted request to acceptance by the provider"
            kind="lines"
            instants={time_to_sent.map(({ at }) => at)}
            show={duration}
            series={[
              { name: 'p50', tone: 'good', values: time_to_sent.map(({ p50 }) => p50) },
              { name: 'p95', tone: 'wait', values: time_to_sent.map(({ p95 }) => p95) },
              { name: 'p99', tone: 'bad', values: time_to_sent.map(({ p99 }) => p99) },
            ]}
          />
        </section>
      </div>
    </>
  )
}

function Tiles({ totals, previous }: { totals: Totals; previous: Totals }) {
  const time = (ms: number | null): string => (ms === null ? '–' : duration(ms))
  const ended = totals.sent + totals.failed
  return (
    <dl class="tiles">
      <Tile name="Accepted" value={count(totals.accepted)} before={count(previous.accepted)} />
      <Tile
        name="Sent"
        value={count(totals.sent)}
        before={count(previous.sent)}
        note={`${percent(totals.sent, ended)} of what ended`}
      />
      <Tile
        name="Waiting for a retry"
        value={count(totals.deferred_now)}
        tone={totals.deferred_now > 0 ? 'wait' : undefined}
      />
      <Tile
        name="Failed"
        value={count(totals.failed)}
        before={count(previous.failed)}
        tone={totals.failed > 0 ? 'bad' : undefined}
      />
      <Tile
        name="Sent within, p95"
        value={time(totals.p95_ms)}
        before={time(previous.p95_ms)}
        note={`p50 ${time(totals.p50_ms)}`}
      />
    </dl>
  )
}

interface TileProps {
  readonly name: string
  readonly value: string
  readonly before?: string
  readonly note?: string
  readonly tone?: string | undefined
}

function Tile({ name, value, before, note, tone }: TileProps) {
  return (
    <div class="card tile">
      <dt>{name}</dt>
      <dd data-tone={tone}>{value}</dd>
      <dd class="faint">
        {[note, before === undefined ? undefined : `before: ${before}`].filter((part) => part).join(' · ')}
      </dd>
    </div>
  )
}
