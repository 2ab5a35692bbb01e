/** One template with data of one's choice, as the project renders it: subject, HTML and plain text. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { hrefOf, project, query, setQuery } from '../../location.ts'
import { Field } from '../../parts/field.tsx'
import { Empty, Loading, Problem } from '../../parts/notices.tsx'
import { CHANNELS, type Rendered, type TemplateKind } from './template.ts'

const PAUSE_MS = 400
const LOCALES = ['en', 'de', 'fr', 'es', 'it', 'pt-BR', 'nl', 'pl', 'sv', 'ja']

export function Preview({ kind }: { kind: TemplateKind }) {
  const asked = query.value.get('channel') ?? ''
  const channel = asked in kind.channels ? asked : (Object.keys(kind.channels)[0] ?? 'email')
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({})
  const text = typed[channel] ?? JSON.stringify(kind.channels[channel]?.sample ?? {}, undefined, 2)
  const read = parse(text)
  const { template_type } = kind
  const locale = query.value.get('locale') ?? ''
  const request = { template_type, channel, ...(locale !== '' && { locale }), data: read.data }
  return (
    <div class="preview">
      <section class="card">
        <Choices kind={kind} channel={channel} locale={locale} />
        <Field
          id="sample-data"
          label="Data"
          hint={<Fields kind={kind} channel={channel} />}
          problems={read.problem === undefined ? [] : [read.problem]}
        >
          {(control) => (
            <textarea
              {...control}
              rows={18}
              spellcheck={false}
              value={text}
              onInput={({ currentTarget: { value } }) => setTyped({ ...typed, [channel]: value })}
            />
          )}
        </Field>
        {typed[channel] !== undefined && (
          <button type="button" onClick={() => setTyped({ ...typed, [channel]: undefined as never })}>
            Back to the sample data
          </button>
        )}
      </section>
      <Result request={JSON.stringify(request)} isValid={read.problem === undefined} channel={channel} />
    </div>
  )
}

interface ChoicesProps {
  readonly kind: TemplateKind
  readonly channel: string
  readonly locale: string
}

function Choices({ kind, channel, locale }: ChoicesProps) {
  return (
    <div class="toolbar">
      <label>
        Channel
        <select
          value={channel}
          onChange={({ currentTarget: { value } }) => setQuery({ channel: value }, { replace: true })}
        >
          {Object.keys(kind.channels).map((name) => (
            <option key={name} value={name}>
              {CHANNELS[name] ?? name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Locale
        <input
          list="locales"
          class="locale"
          value={locale}
          placeholder="none"
          autocomplete="off"
          onChange={({ currentTarget: { value } }) => setQuery({ locale: value.trim() }, { replace: true })}
        />
        <datalist id="locales">
          {LOCALES.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      {project.value === '' && <p class="hint end">As the project default renders it.</p>}
    </div>
  )
}

function Fields({ kind, channel }: Omit<ChoicesProps, 'locale'>) {
  return (
    <>
      {(kind.channels[channel]?.fields ?? []).map(({ name, required }) => (
        <code key={name} class="field-name">
          {name}
          {required && <b> required</b>}
        </code>
      ))}
    </>
  )
}

interface ResultProps {
  /** What the API is asked, as JSON. */
  readonly request: string
  readonly isValid: boolean
  readonly channel: string
}

function Result({ request, isValid, channel }: ResultProps) {
  const settled = useSettled(request, isValid)
  const path = `/projects/${encodeURIComponent(project.value || 'default')}/templates/preview`
  const { data, error, reload } = useLoad(
    `${path} ${settled}`,
    async () => (await post<Rendered>(path, JSON.parse(settled))).body,
  )
  // The last one stays until the next is there, or every letter would flicker.
  const last = useRef<Rendered>(undefined)
  if (data !== undefined) last.current = data
  const shown = data ?? last.current
  return (
    <section class="card" aria-label="Preview" aria-busy={data === undefined && error === undefined}>
      {error && data === undefined && <Problem error={error} onRetry={reload} />}
      {shown === undefined && error === undefined && <Loading lines={8} label="Rendering" />}
      {shown && <Shown rendered={shown} channel={channel} />}
    </section>
  )
}

function Shown({ rendered, channel }: { rendered: Rendered; channel: string }) {
  const isPhone = query.value.get('width') === 'phone'
  return (
    <>
      {rendered.problems.length > 0 && (
        <div class="notice summary" data-tone="wait" role="status">
          <p>The built-in template stands in where yours does not work:</p>
          <ul>
            {rendered.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </div>
      )}
      {channel === 'email' && (
        <div class="title">
          <h2 class="subject">{rendered.subject}</h2>
          <label class="check">
            <input
              type="checkbox"
              checked={isPhone}
              onChange={() => setQuery({ width: isPhone ? '' : 'phone' }, { replace: true })}
            />
            Phone width
          </label>
        </div>
      )}
      {rendered.html_url !== null && (
        // No scripts, no forms, no origin: templates are documents of their own.
        <iframe
          class={isPhone ? 'mail phone' : 'mail'}
          title="The mail as HTML"
          sandbox=""
          src={rendered.html_url}
          key={rendered.html_url}
        />
      )}
      {rendered.html_url === null && channel === 'email' && <Empty title="This mail has no HTML." />}
      <h3>Plain text</h3>
      <pre>{rendered.text}</pre>
      {channel === 'email' && (
        <p class="hint">
          Templates of your own are set in the <a href={hrefOf('/configuration', { advanced: '1' })}>configuration</a>.
        </p>
      )}
    </>
  )
}

/** `value` once it has not changed for a while; invalid ones never. */
function useSettled(value: string, isValid: boolean): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    if (!isValid) return
    const timer = setTimeout(() => setSettled(value), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [value, isValid])
  return settled
}

function parse(text: string): { readonly data: object; readonly problem?: string } {
  try {
    const data: unknown = JSON.parse(text)
    if (typeof data === 'object' && data !== null && !Array.isArray(data)) return { data }
    return { data: {}, problem: 'Expected an object in braces.' }
  } catch (error) {
    return { data: {}, problem: `No JSON yet: ${(error as Error).message}.` }
  }
}
