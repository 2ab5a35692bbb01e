/** The way of the mail as a waterfall, from our own events: it is whole also where no trace backend kept it. */
import { get } from '../../api.ts'
import { duration } from '../../format.ts'
import { useLoad } from '../../load.ts'
import { Empty, Loading, Problem } from '../../parts/notices.tsx'
import { Scroll } from '../../parts/scroll.tsx'
import { MESSAGES } from '../messages/message.ts'
import type { MessageDetail, Trace, TraceSpan } from './detail.ts'

export function TraceTab({ message }: { message: MessageDetail }) {
  const path = `${MESSAGES}/${message.id}/trace`
  // Loaded again when something happened.
  const { data, error, reload } = useLoad(
    `${path} ${message.updated_at}`,
    async (signal) => (await get<Trace>(path, {}, signal)).body,
  )
  if (error) return <Problem error={error} onRetry={reload} />
  if (data === undefined) return <Loading lines={6} label="Loading trace" />
  if (data.spans.length === 0) return <Empty title="Nothing happened yet." />
  return (
    <>
      <p>
        Trace <code>{data.trace_id}</code>
        {data.url !== null && (
          <>
            {' · '}
            <a href={data.url} target="_blank" rel="noreferrer">
              open in the trace backend
            </a>
          </>
        )}
      </p>
      <Waterfall spans={data.spans} />
    </>
  )
}

function Waterfall({ spans }: { spans: readonly TraceSpan[] }) {
  const rows = nested(spans)
  const start = Math.min(...spans.map(({ started_at }) => Date.parse(started_at)))
  const end = Math.max(...spans.map((span) => Date.parse(span.started_at) + span.duration_ms))
  const whole = Math.max(1, end - start)
  return (
    <Scroll label="Trace">
      <table class="waterfall">
        <thead>
          <tr>
            <th scope="col">Span</th>
            <th scope="col">Service</th>
            <th scope="col" class="number">
              Took
            </th>
            <th scope="col" class="bars">
              <span>0</span>
              <span>{duration(whole)}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ span, depth }) => {
            const offset = ((Date.parse(span.started_at) - start) / whole) * 100
            const width = Math.max(0.4, (span.duration_ms / whole) * 100)
            return (
              <tr key={span.id}>
                <td style={{ paddingLeft: `${0.75 + depth}rem` }}>
                  {span.name}
                  {span.note !== null && <div class="faint">{span.note}</div>}
                </td>
                <td class="faint">{span.service}</td>
                <td class="number nowrap">{duration(span.duration_ms)}</td>
                <td class="bars">
                  <span class="bar" data-tone={toneOf(span)} style={{ marginLeft: `${offset}%`, width: `${width}%` }} />
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Scroll>
  )
}

/** Children behind their parent, each level by its start; a span whose parent is not there stands at the top. */
function nested(spans: readonly TraceSpan[]): { readonly span: TraceSpan; readonly depth: number }[] {
  const ids = new Set(spans.map(({ id }) => id))
  const below = (parent: string | null, depth: number): { span: TraceSpan; depth: number }[] =>
    spans
      .filter((span) => (span.parent !== null && ids.has(span.parent) ? span.parent : null) === parent)
      .flatMap((span) => [{ span, depth }, ...below(span.id, depth + 1)])
  return below(null, 0)
}

/** Waiting is no work. */
function toneOf({ error, name }: TraceSpan): 'bad' | 'off' | 'good' {
  if (error) return 'bad'
  return /^(wait|queue|outbox)/.test(name) ? 'off' : 'good'
}
