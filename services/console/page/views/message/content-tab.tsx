/** What the mail says. Codes and links are hidden until somebody says why he has to see them; that is written down. */
import { Fragment } from 'preact'
import { useState } from 'preact/hooks'
import { get, post } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { Empty, Loading, Problem } from '../../parts/notices.tsx'
import { attempt } from '../../parts/toast.tsx'
import { mayOperate } from '../../session.ts'
import { MESSAGES } from '../messages/message.ts'
import type { Content, MessageDetail } from './detail.ts'

export function ContentTab({ message }: { message: MessageDetail }) {
  const path = `${MESSAGES}/${message.id}/content`
  const { data, error, reload } = useLoad(path, async (signal) => (await get<Content>(path, {}, signal)).body)
  const [revealed, setRevealed] = useState<Content>()
  if (error) return <Problem error={error} onRetry={reload} />
  if (data === undefined) return <Loading lines={6} label="Loading content" />
  const content = revealed ?? data
  if (content.subject === '' && content.text === '') return <Empty title="The content has not arrived yet." />
  return (
    <>
      <h2>{content.subject}</h2>
      {content.masked && mayOperate() && <Reveal path={path} onRevealed={setRevealed} />}
      {content.masked && !mayOperate() && (
        <p class="notice">Codes and links are hidden. Revealing them takes the role operator.</p>
      )}
      {content.html_url !== null && (
        // No scripts, no forms, no origin: the mail is a stranger's document.
        <iframe class="mail" title="The mail as HTML" sandbox="" src={content.html_url} />
      )}
      <h3>Plain text</h3>
      <pre>{content.text}</pre>
      <h3>Headers</h3>
      <dl class="mono">
        {content.headers.map(([name, value], index) => (
          <Fragment key={`${name} ${index}`}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
      </dl>
    </>
  )
}

function Reveal({ path, onRevealed }: { path: string; onRevealed: (content: Content) => void }) {
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get('reason'))
    await attempt(async () => {
      onRevealed((await post<Content>(`${path}/reveal`, { reason })).body)
      return 'Shown. It is in the audit log.'
    })
  }
  return (
    <form class="notice" onSubmit={submit}>
      <p>Codes and links are hidden.</p>
      <span class="toolbar-group">
        <input
          name="reason"
          required
          minLength={3}
          maxLength={200}
          aria-label="Why you have to see it"
          placeholder="why you have to see it"
        />
        <button type="submit">Reveal</button>
      </span>
    </form>
  )
}
