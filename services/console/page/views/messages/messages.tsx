/** The list of messages: newest first, filtered by what the URL says. */
import { get } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { hrefOf, query } from '../../location.ts'
import { Empty, Loading, Problem } from '../../parts/notices.tsx'
import { Scroll } from '../../parts/scroll.tsx'
import { State } from '../../parts/state.tsx'
import { Time } from '../../parts/time.tsx'

export interface ListedMessage {
  readonly id: string
  readonly state: string
  readonly recipient: string
  readonly template_type: string
  readonly send_count: number
  readonly created_at: string
  readonly last_error: string | null
}

const PATH = '/admin/courier/messages'

export function Messages() {
  const key = query.value.toString()
  const { data, error, reload } = useLoad(key, (signal) => get<ListedMessage[]>(`${PATH}?${key}`, {}, signal), 5_000)
  return (
    <>
      <h1>Messages</h1>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined ? error ? null : <Loading lines={8} /> : <Table messages={data.body} />}
    </>
  )
}

function Table({ messages }: { messages: readonly ListedMessage[] }) {
  if (messages.length === 0) return <Empty title="No messages">What is accepted shows here within a second.</Empty>
  return (
    <Scroll label="Messages">
      <table>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Recipient</th>
            <th scope="col">Template</th>
            <th scope="col" class="number">
              Attempts
            </th>
            <th scope="col">Error</th>
            <th scope="col">Created</th>
          </tr>
        </thead>
        <tbody>
          {messages.map((message) => (
            <tr key={message.id}>
              <td>
                <State of={message.state} />
              </td>
              <td>
                <a href={hrefOf(`/messages/${message.id}`)}>{message.recipient || '(not known yet)'}</a>
              </td>
              <td>{message.template_type}</td>
              <td class="number">{message.send_count}</td>
              <td>{message.last_error}</td>
              <td class="nowrap">
                <Time at={message.created_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}
