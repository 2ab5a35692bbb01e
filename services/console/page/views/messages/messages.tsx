/** The list of messages: newest first, filtered by what the URL says, followed live where wanted. */
import { useState } from 'preact/hooks'
import { get } from '../../api.ts'
import { count } from '../../format.ts'
import { useLoad } from '../../load.ts'
import { hrefOf, query, setQuery } from '../../location.ts'
import { Loading, Problem } from '../../parts/notices.tsx'
import { attempt } from '../../parts/toast.tsx'
import { mayOperate } from '../../session.ts'
import { Bulk } from './bulk.tsx'
import { type ExportFormat, exportMessages } from './export.ts'
import { apiQuery, Filters } from './filters.tsx'
import { merged, useLive } from './live.ts'
import { type ListedMessage, MESSAGES } from './message.ts'
import { MessageTable } from './message-table.tsx'

const PAGE_SIZE = '50'
const REFRESH_MS = 5_000

export function Messages() {
  const isLive = query.value.get('live') === '1'
  const isFirst = !query.value.has('page_token')
  const asked = asksFor(query.value)
  const list = useLoad(
    asked,
    (signal) => get<ListedMessage[]>(`${MESSAGES}?${apiQuery(new URLSearchParams(asked))}`, {}, signal),
    isLive || !isFirst ? 0 : REFRESH_MS,
  )
  const live = useLive(isLive && isFirst ? apiQuery(new URLSearchParams(asked)).toString() : undefined)
  const { data, error, reload } = list
  const isFiltered = [...new URLSearchParams(asked).keys()].some((name) => !/^(page_size|project)$/.test(name))
  return (
    <>
      <h1>Messages</h1>
      <Filters />
      <div class="toolbar">
        <label class="check">
          <input
            type="checkbox"
            checked={isLive}
            onChange={() => setQuery({ live: isLive ? '' : '1', page_token: '' }, { replace: true })}
          />
          Follow live{' '}
          {isLive && <span data-tone={live.isConnected ? 'good' : 'wait'}>{live.isConnected ? '●' : '○'}</span>}
        </label>
        <Export />
        <span class="end toolbar-group">{mayOperate() && <Bulk onDone={reload} />}</span>
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading lines={8} label="Loading messages" />}
      {data && <MessageTable messages={merged(live.messages, data.body)} isFiltered={isFiltered} />}
      <Pages next={data?.next} isFirst={isFirst} />
    </>
  )
}

function Export() {
  const [done, setDone] = useState<number>()
  const run = (format: ExportFormat) => async (): Promise<void> => {
    setDone(0)
    await attempt(
      async () => `${count(await exportMessages(apiQuery(query.value), format, setDone))} messages exported`,
    )
    setDone(undefined)
  }
  if (done !== undefined) return <span role="status">{count(done)} exported…</span>
  return (
    <>
      <button type="button" onClick={run('csv')}>
        Export CSV
      </button>
      <button type="button" onClick={run('ndjson')}>
        Export NDJSON
      </button>
    </>
  )
}

function Pages({ next, isFirst }: { next: string | undefined; isFirst: boolean }) {
  const token = next === undefined ? null : new URL(next, location.origin).searchParams.get('page_token')
  if (token === null && isFirst) return null
  const link = (page_token: string): string =>
    hrefOf('/messages', { ...Object.fromEntries(query.value), live: '', page_token })
  return (
    <nav class="pages" aria-label="Pages">
      {!isFirst && <a href={link('')}>Newest</a>}
      {token !== null && <a href={link(token)}>Older</a>}
    </nav>
  )
}

function asksFor(from: URLSearchParams): string {
  const parameters = new URLSearchParams(from)
  parameters.delete('live')
  parameters.set('page_size', PAGE_SIZE)
  parameters.sort()
  return parameters.toString()
}
