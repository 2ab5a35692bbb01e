/** One message: where it stands, why, and what can be done about it. */
import { get } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { hrefOf, query, setQuery } from '../../location.ts'
import { Copy } from '../../parts/copy.tsx'
import { Loading, Problem } from '../../parts/notices.tsx'
import { State } from '../../parts/state.tsx'
import { Time } from '../../parts/time.tsx'
import { useProjects } from '../../projects.ts'
import { MESSAGES } from '../messages/message.ts'
import { Actions } from './actions.tsx'
import { Attempts } from './attempts.tsx'
import { ContentTab } from './content-tab.tsx'
import type { MessageDetail } from './detail.ts'
import { Timeline } from './timeline.tsx'
import { TraceTab } from './trace-tab.tsx'

const TABS = { timeline: 'Timeline', attempts: 'Attempts', content: 'Content', trace: 'Trace', json: 'JSON' } as const
type Tab = keyof typeof TABS

const TERMINAL = /^(sent|delivered|bounced|complained|abandoned|expired|suppressed|superseded|cancelled)$/
const REFRESH_MS = 2_000

export function MessageView({ id }: { id: string }) {
  const path = `${MESSAGES}/${encodeURIComponent(id)}`
  const { data, error, reload } = useLoad(
    id,
    async (signal) => (await get<MessageDetail>(path, {}, signal)).body,
    REFRESH_MS,
  )
  if (data === undefined)
    return error ? <Problem error={error} onRetry={reload} /> : <Loading lines={10} label="Loading message" />
  return (
    <article>
      <p class="back">
        <a href={hrefOf('/messages')}>← Messages</a>
      </p>
      <div class="title">
        <h1>
          {data.recipient || 'Recipient not known yet'} <State of={data.state} />
        </h1>
        <Actions message={data} onDone={reload} />
      </div>
      <Standing message={data} />
      <Facts message={data} />
      <Tabs message={data} />
    </article>
  )
}

/** What the message waits for, or why it went wrong, in one sentence at the top. */
function Standing({ message }: { message: MessageDetail }) {
  const { blocked_by, next_attempt_at, last_error, state, possibly_delivered } = message
  return (
    <>
      {blocked_by !== null && (
        <p class="notice" data-tone="wait" role="status">
          <span>
            Waits for its channel: {blocked_by.message}, since <Time at={blocked_by.since} />. Looked at again{' '}
            <Time at={blocked_by.next_probe_at} />.
          </span>
        </p>
      )}
      {blocked_by === null && next_attempt_at !== null && (
        <p class="notice" data-tone="wait" role="status">
          <span>
            {last_error}. Tried again <Time at={next_attempt_at} />.
          </span>
        </p>
      )}
      {TERMINAL.test(state) && last_error !== null && (
        <p class="notice" data-tone="bad">
          <span>{last_error}</span>
        </p>
      )}
      {possibly_delivered && (
        <p class="notice" data-tone="wait">
          <span>Possibly sent twice: one attempt ended without an answer after the mail was handed over.</span>
        </p>
      )}
    </>
  )
}

function Facts({ message }: { message: MessageDetail }) {
  const facts: readonly (readonly [name: string, value: string | null | undefined, isCopied?: boolean])[] = [
    ['Message', message.id, true],
    ['Trace', message.trace_id, true],
    ['Provider id', message.provider_message_id, true],
    ['Identity', message.identity_id, true],
    [
      'Template',
      [message.template_type, message.channel, message.lane, message.locale].filter((part) => part).join(' · '),
    ],
  ]
  return (
    <dl class="card facts">
      {facts.map(([name, value, isCopied]) =>
        value == null || value === '' ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {isCopied ? <code>{value}</code> : value} {isCopied && <Copy text={value} what={name.toLowerCase()} />}
            </dd>
          </div>
        ),
      )}
      <ProjectFact id={message.project_id} />
      <div>
        <dt>Created</dt>
        <dd>
          <Time at={message.created_at} />, expires <Time at={message.expires_at} />
        </dd>
      </div>
      {message.resent_from !== null && (
        <div>
          <dt>Resent from</dt>
          <dd>
            <a href={hrefOf(`/messages/${message.resent_from}`)}>{message.resent_from}</a>
          </dd>
        </div>
      )}
    </dl>
  )
}

function ProjectFact({ id }: { id: string }) {
  const found = useProjects().find((project) => project.id === id)
  return (
    <div>
      <dt>Project</dt>
      <dd>
        <a href={hrefOf('/configuration', { project: found?.slug ?? id })}>{found?.name ?? id}</a>
      </dd>
    </div>
  )
}

function Tabs({ message }: { message: MessageDetail }) {
  const chosen = (query.value.get('tab') ?? 'timeline') as Tab
  return (
    <section class="tabbed">
      <div class="tabs" role="tablist" aria-label="About this message">
        {Object.entries(TABS).map(([tab, label]) => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`tab-${tab}`}
            aria-selected={tab === chosen}
            aria-controls="tab-panel"
            onClick={() => setQuery({ tab: tab === 'timeline' ? '' : tab }, { replace: true })}
          >
            {label}
            {tab === 'attempts' && message.dispatches !== undefined && ` (${message.dispatches.length})`}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${chosen}`}>
        <Panel tab={chosen} message={message} />
      </div>
    </section>
  )
}

function Panel({ tab, message }: { tab: Tab; message: MessageDetail }) {
  switch (tab) {
    case 'attempts':
      return <Attempts message={message} />
    case 'content':
      return <ContentTab message={message} />
    case 'trace':
      return <TraceTab message={message} />
    case 'json':
      return <pre>{JSON.stringify(message, undefined, 2)}</pre>
    default:
      return <Timeline message={message} />
  }
}
