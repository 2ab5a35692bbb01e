/** What narrows the list: one search box that recognises what is typed, and a few choices. All of it lives in the URL. */
import { useEffect, useRef } from 'preact/hooks'
import { words } from '../../format.ts'
import { query, setQuery } from '../../location.ts'
import { TEMPLATE_TYPES } from '../templates/template.ts'

const STATES = [
  'queued',
  'deferred',
  'held',
  'sent',
  'delivered',
  'bounced',
  'complained',
  'abandoned',
  'expired',
  'suppressed',
  'superseded',
  'cancelled',
]
const SINCE = [
  { label: 'any time', minutes: 0 },
  { label: 'last 15 minutes', minutes: 15 },
  { label: 'last hour', minutes: 60 },
  { label: 'last 24 hours', minutes: 1_440 },
  { label: 'last 7 days', minutes: 10_080 },
]
/** Parameters that a link may bring and no control shows: told as chips that can be taken away. */
const CHIPS: Readonly<Record<string, string>> = {
  class: 'failure',
  reply_code: 'reply code',
  enhanced_code: 'enhanced code',
  domain: 'domain',
  channel: 'channel',
  provider: 'provider',
  trace_id: 'trace',
  recipient: 'recipient',
  status: 'status',
  created_after: 'from',
  created_before: 'until',
}
/** What a saved page token would contradict. */
const FRESH = { page_token: '' }

export function Filters() {
  const search = useRef<HTMLInputElement>(null)
  useEffect(() => focusOnSlash(search.current), [])
  const value = (name: string): string => query.value.get(name) ?? ''
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    setQuery({ q: search.current?.value.trim() ?? '', ...FRESH })
  }
  return (
    <>
      <search>
        <form class="toolbar" onSubmit={submit}>
          <label class="grow">
            Search
            <input
              ref={search}
              key={value('q')}
              name="q"
              type="search"
              defaultValue={value('q')}
              placeholder="address, any id, or words such as state:deferred code:451"
              autocomplete="off"
              spellcheck={false}
              aria-keyshortcuts="/"
            />
          </label>
          <Choice name="state" label="State" all="all" options={STATES} />
          <Choice name="template_type" label="Template" all="all" options={TEMPLATE_TYPES} />
          <label>
            Created
            <select
              value={value('since')}
              onChange={(event) => setQuery({ since: event.currentTarget.value, ...FRESH })}
            >
              {SINCE.map(({ label, minutes }) => (
                <option key={minutes} value={minutes === 0 ? '' : String(minutes)}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <button type="submit">Search</button>
        </form>
      </search>
      <Chips />
    </>
  )
}

function Choice({
  name,
  label,
  all,
  options,
}: {
  name: string
  label: string
  all: string
  options: readonly string[]
}) {
  return (
    <label>
      {label}
      <select
        value={query.value.get(name) ?? ''}
        onChange={(event) => setQuery({ [name]: event.currentTarget.value, ...FRESH })}
      >
        <option value="">{all}</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {words(option)}
          </option>
        ))}
      </select>
    </label>
  )
}

function Chips() {
  const set = Object.entries(CHIPS).flatMap(([name, label]) => {
    const value = query.value.get(name)
    return value === null ? [] : [{ name, label, value }]
  })
  if (set.length === 0) return null
  return (
    <p class="chips">
      {set.map(({ name, label, value }) => (
        <button key={name} type="button" class="chip" onClick={() => setQuery({ [name]: '', ...FRESH })}>
          {label}: <b>{value}</b> <span aria-hidden="true">×</span>
          <span class="visually-hidden">remove this filter</span>
        </button>
      ))}
    </p>
  )
}

/** `/` goes to the search box, unless the user is typing. */
function focusOnSlash(input: HTMLInputElement | null): () => void {
  const onKey = (event: KeyboardEvent): void => {
    const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)
    if (event.key !== '/' || isTyping || event.metaKey || event.ctrlKey || event.altKey) return
    event.preventDefault()
    input?.focus()
  }
  document.addEventListener('keydown', onKey)
  return () => document.removeEventListener('keydown', onKey)
}

/** The list's parameters as the API takes them; `since` is this page's own and becomes an instant. */
export function apiQuery(from: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams(from)
  const minutes = Number(parameters.get('since') ?? 0)
  parameters.delete('since')
  parameters.delete('live')
  if (minutes > 0) parameters.set('created_after', new Date(Date.now() - minutes * 60_000).toISOString())
  return parameters
}

/** The filter alone, as the bulk actions take it. */
export function filterBody(from: URLSearchParams): Record<string, string> {
  const { page_token, page_size, ...filter } = Object.fromEntries(apiQuery(from))
  return filter
}
