import { duration } from '../../format.ts'
import { hrefOf, project } from '../../location.ts'
import { Empty } from '../../parts/notices.tsx'
import { Scroll } from '../../parts/scroll.tsx'
import { State } from '../../parts/state.tsx'
import { Time } from '../../parts/time.tsx'
import { useProjects } from '../../projects.ts'
import type { ListedMessage } from './message.ts'

export function MessageTable({ messages, isFiltered }: { messages: readonly ListedMessage[]; isFiltered: boolean }) {
  const projects = useProjects()
  // One project needs no name.
  const names =
    project.value === '' && projects.length > 1 ? new Map(projects.map(({ id, name }) => [id, name])) : undefined
  if (messages.length === 0) return <Nothing isFiltered={isFiltered} />
  return (
    <Scroll label="Messages">
      <table class="rows" onKeyDown={moveByKey}>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Recipient</th>
            {names && <th scope="col">Project</th>}
            <th scope="col">Template</th>
            <th scope="col" class="number">
              Tries
            </th>
            <th scope="col">What happened</th>
            <th scope="col">Created</th>
            <th scope="col">Trace</th>
          </tr>
        </thead>
        <tbody>
          {messages.map((message) => (
            <Row key={message.id} message={message} projectName={names?.get(message.project_id)} />
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

function Row({ message, projectName }: { message: ListedMessage; projectName: string | undefined }) {
  const { id, state, recipient, template_type, send_count, created_at, trace_id } = message
  return (
    <tr>
      <td>
        <State of={state} />
      </td>
      <td class="recipient">
        <a href={hrefOf(`/messages/${id}`)} title={recipient}>
          {recipient || 'not known yet'}
        </a>
      </td>
      {projectName !== undefined && <td class="nowrap">{projectName}</td>}
      <td class="nowrap">{template_type}</td>
      <td class="number">{send_count}</td>
      <td class="story">
        <Story message={message} />
      </td>
      <td class="nowrap">
        <Time at={created_at} />
      </td>
      <td>{trace_id && <code title={trace_id}>{trace_id.slice(0, 8)}</code>}</td>
    </tr>
  )
}

/** What a message waits for, what went wrong, or how long it took; two lines of it, the rest on hover. */
function Story({ message }: { message: ListedMessage }) {
  const { state, blocked_by, last_error, next_attempt_at, created_at, updated_at } = message
  if (blocked_by !== null)
    return (
      <>
        <Clamped text={blocked_by.message} tone="wait" />
        <span class="faint nowrap">
          next look <Time at={blocked_by.next_probe_at} />
        </span>
      </>
    )
  if (next_attempt_at !== null)
    return (
      <>
        <Clamped text={last_error ?? ''} />
        <span class="faint nowrap">
          again <Time at={next_attempt_at} />
        </span>
      </>
    )
  if (state === 'sent' || state === 'delivered')
    return <span class="faint">after {duration(Date.parse(updated_at) - Date.parse(created_at))}</span>
  return <Clamped text={last_error ?? ''} />
}

function Clamped({ text, tone }: { text: string; tone?: 'wait' }) {
  return (
    <span class="clamped" data-tone={tone} title={text}>
      {text}
    </span>
  )
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No message matches.">Take a filter away, or search for a part of it.</Empty>
  return (
    <Empty title={project.value === '' ? 'No messages yet' : 'No messages in this project yet'}>
      <p>What is accepted shows here within a second. Send one:</p>
      <pre>{'postrider send-test you@example.org'}</pre>
    </Empty>
  )
}

/** j and k go through the rows, as arrows do in a list of mails. */
function moveByKey(event: KeyboardEvent): void {
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key]
  const table = event.currentTarget as HTMLTableElement
  const links = [...table.querySelectorAll<HTMLAnchorElement>('tbody a')]
  const at = links.indexOf(document.activeElement as HTMLAnchorElement)
  if (step === undefined || at === -1) return
  event.preventDefault()
  links[at + step]?.focus()
}
