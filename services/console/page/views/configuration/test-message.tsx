/** One mail through the whole system, followed until it is over. */
import { useState } from 'preact/hooks'
import { ApiError, get, post } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { hrefOf } from '../../location.ts'
import { Field } from '../../parts/field.tsx'
import { Problem } from '../../parts/notices.tsx'
import { State } from '../../parts/state.tsx'
import { Time } from '../../parts/time.tsx'
import { type ListedMessage, MESSAGES } from '../messages/message.ts'
import { configPath } from './drafts.ts'
import { problemsOf } from './problems.ts'

const POLL_MS = 500
const TERMINAL = /^(sent|delivered|bounced|complained|abandoned|expired|suppressed|superseded|cancelled)$/

export function TestMessage({ project, isDirty }: { project: string; isDirty: boolean }) {
  const [id, setId] = useState<string>()
  const [problem, setProblem] = useState<string>()
  const [isSending, setSending] = useState(false)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const recipient = String(new FormData(event.currentTarget as HTMLFormElement).get('recipient')).trim()
    setSending(true)
    setProblem(undefined)
    try {
      setId((await post<{ id: string }>(`${configPath(project)}/test-message`, { recipient })).body.id)
    } catch (error) {
      setProblem(problemsOf(error)[0]?.text)
    }
    setSending(false)
  }
  return (
    <section class="card">
      <h2>Send a test mail</h2>
      <p class="hint">
        Goes the way of every mail: outbox, courier, your server.{' '}
        {isDirty && 'Uses what is saved, not what is in the form.'}
      </p>
      <form class="one-line" onSubmit={submit}>
        <Field id="test-recipient" label="Recipient" problems={problem === undefined ? [] : [problem]}>
          {(control) => (
            <input
              {...control}
              name="recipient"
              type="email"
              required
              autocomplete="email"
              placeholder="you@example.org"
            />
          )}
        </Field>
        <button type="submit" class="primary" disabled={isSending}>
          Send
        </button>
      </form>
      {id !== undefined && <Followed key={id} id={id} />}
    </section>
  )
}

function Followed({ id }: { id: string }) {
  const [isOver, setOver] = useState(false)
  const { data, error } = useLoad(id, (signal) => readMessage(id, setOver, signal), isOver ? 0 : POLL_MS)
  if (data === undefined) return error ? <Problem error={error} /> : <p role="status">Accepted, on its way…</p>
  return (
    <div class="followed" role="status">
      <State of={data.state} />
      <span>
        {storyOf(data, isOver)}
        {data.next_attempt_at !== null && (
          <>
            {' '}
            Next try <Time at={data.next_attempt_at} />.
          </>
        )}
        {data.blocked_by !== null && ` Waits for its channel: ${data.blocked_by.message}.`}
      </span>
      <a href={hrefOf(`/messages/${id}`)}>Open the message</a>
    </div>
  )
}

function storyOf({ last_error, state }: ListedMessage, isOver: boolean): string {
  if (last_error !== null) return `${last_error}.`
  if (state === 'sent') return 'The server took it.'
  return isOver ? '' : 'On its way…'
}

/** Not there yet right after it was accepted: looked for again. */
async function readMessage(id: string, onOver: (isOver: boolean) => void, signal: AbortSignal) {
  try {
    const { body } = await get<ListedMessage>(`${MESSAGES}/${id}`, {}, signal)
    onOver(TERMINAL.test(body.state))
    return body
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}
