/** The quick start's mailbox: every mail that left, as its reader gets it. */
import { useState } from 'preact/hooks'
import { get, send } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { query, setQuery } from '../../location.ts'
import { Empty, Loading, Problem } from '../../parts/notices.tsx'
import { Time } from '../../parts/time.tsx'
import { attempt } from '../../parts/toast.tsx'

interface Mail {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly received_at: string
}

const PATH = '/mailbox/messages'

export function Mailbox() {
  const to = query.value.get('to') ?? ''
  const { data, error, reload } = useLoad(
    `mailbox ${to}`,
    async (signal) => (await get<Mail[]>(PATH, { to, limit: 100 }, signal)).body,
    2_000,
  )
  const [chosenId, setChosen] = useState<string>()
  const chosen = data?.find(({ id }) => id === chosenId) ?? data?.[0]
  const clear = (): Promise<boolean> =>
    attempt(async () => {
      await send('DELETE', PATH)
      reload()
      return 'The mailbox is empty.'
    })
  return (
    <>
      <div class="title">
        <h1>Mailbox</h1>
        <span class="toolbar-group">
          <input
            type="search"
            aria-label="Only mails to this address"
            placeholder="only to this address"
            defaultValue={to}
            onChange={(event) => setQuery({ to: event.currentTarget.value.trim() })}
          />
          <button type="button" onClick={clear}>
            Empty it
          </button>
        </span>
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data?.length === 0 && (
        <Empty title="No mail yet">
          The mailbox of this machine takes every mail while no server of yours is configured.
        </Empty>
      )}
      {data !== undefined && chosen !== undefined && (
        <div class="mailbox">
          <ul>
            {data.map((mail) => (
              <li key={mail.id}>
                <button type="button" aria-current={mail.id === chosen.id} onClick={() => setChosen(mail.id)}>
                  <b>{mail.subject || '(no subject)'}</b>
                  <span>{mail.to}</span>
                  <span class="faint">
                    <Time at={mail.received_at} />
                  </span>
                </button>
              </li>
            ))}
          </ul>
          <MailView mail={chosen} />
        </div>
      )}
    </>
  )
}

function MailView({ mail }: { mail: Mail }) {
  return (
    <article class="card">
      <h2>{mail.subject}</h2>
      <p class="faint">
        {mail.from} → {mail.to}
      </p>
      <pre>{mail.text}</pre>
      <details>
        <summary>Headers</summary>
        <pre>
          {Object.entries(mail.headers)
            .flatMap(([name, values]) => values.map((value) => `${name}: ${value}`))
            .join('\n')}
        </pre>
      </details>
    </article>
  )
}
