import { Empty } from '../../parts/notices.tsx'
import { Scroll } from '../../parts/scroll.tsx'

interface ShownChange {
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

interface ChangesTableProps {
  readonly label: string
  readonly changes: readonly ShownChange[]
  /** Paths that somebody else changed too. */
  readonly disputed?: ReadonlySet<string>
}

/** Key by key, before and after. A secret that changed is there, masked on both sides. */
export function ChangesTable({ label, changes, disputed }: ChangesTableProps) {
  if (changes.length === 0) return <Empty title="Nothing differs." />
  return (
    <Scroll label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((change) => (
            <tr key={change.path}>
              <th scope="row">
                <code>{change.path}</code>
                {disputed?.has(change.path) && <div data-tone="wait">changed by both</div>}
              </th>
              <td class="was">{'before' in change ? shown(change.before) : <span class="faint">not there</span>}</td>
              <td class="is">{'after' in change ? shown(change.after) : <span class="faint">removed</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

const LONGEST = 300

function shown(value: unknown) {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return <code>{text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text || '""'}</code>
}
