/** Who did what to which message or project, newest first. */
import { get } from '../../api.ts'
import { words } from '../../format.ts'
import { useLoad } from '../../load.ts'
import { hrefOf, query } from '../../location.ts'
import { Empty, Loading, Problem } from '../../parts/notices.tsx'
import { Scroll } from '../../parts/scroll.tsx'
import { Time } from '../../parts/time.tsx'
import './audit.css'

const SIZE = 50
/** Of an id; the first ones are its time, and alike. */
const LAST = 8

interface Entry {
  readonly id: number
  readonly at: string
  readonly actor: string
  /** Such as `message.cancel`. */
  readonly action: string
  readonly message_id: string | null
  readonly project_id: string | null
  readonly details: Readonly<Record<string, unknown>>
}

export function Audit() {
  const before = query.value.get('before') ?? ''
  const { data, error, reload } = useLoad(
    `audit ${before}`,
    async (signal) => (await get<Entry[]>('/admin/audit', { limit: SIZE, before }, signal)).body,
  )
  return (
    <>
      <h1>Audit log</h1>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading lines={8} label="Loading audit log" />}
      {data?.length === 0 && (
        <Empty title={before === '' ? 'Nothing was done yet' : 'There is nothing older.'}>
          Retries, cancellations, resent mails, revealed contents, and changes of configurations and keys are written
          down here.
        </Empty>
      )}
      {data !== undefined && data.length > 0 && <Table entries={data} />}
      <nav class="pages" aria-label="Pages">
        {before !== '' && <a href={hrefOf('/audit')}>Newest</a>}
        {data?.length === SIZE && <a href={hrefOf('/audit', { before: String(data.at(-1)!.id) })}>Older</a>}
      </nav>
    </>
  )
}

function Table({ entries }: { entries: readonly Entry[] }) {
  return (
    <Scroll label="Audit log">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">To which</th>
            <th scope="col">Details</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id}>
              <td class="nowrap">
                <Time at={entry.at} />
              </td>
              <td>{entry.actor}</td>
              <td class="nowrap">{words(entry.action.replaceAll('.', ' '))}</td>
              <td>
                <Target entry={entry} />
              </td>
              <td>
                <Details details={entry.details} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

function Target({ entry: { message_id, project_id } }: { entry: Entry }) {
  if (message_id !== null)
    return (
      <a href={hrefOf(`/messages/${message_id}`)}>
        message <code>…{message_id.slice(-LAST)}</code>
      </a>
    )
  if (project_id !== null)
    return (
      <a href={hrefOf('/configuration', { project: project_id, tab: 'revisions' })}>
        project <code>…{project_id.slice(-LAST)}</code>
      </a>
    )
  return <span class="faint">–</span>
}

function Details({ details }: Pick<Entry, 'details'>) {
  return (
    <ul class="details">
      {Object.entries(details).map(([name, value]) => (
        <li key={name}>
          <span class="faint">{words(name)}:</span> {typeof value === 'string' ? value : JSON.stringify(value)}
        </li>
      ))}
    </ul>
  )
}
