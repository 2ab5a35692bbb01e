/** Makes a key. Its token is shown once, and kept nowhere. */
import { useState } from 'preact/hooks'
import { get, post } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { Copy } from '../../parts/copy.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { type Problem, problemsOf, textsAt } from '../configuration/problems.ts'
import { type Key, ROLES } from './key.ts'

const DAY_MS = 86_400_000
/** In days; the first one is proposed. A list, since keys of an object that are numbers come in their own order. */
const LIFETIMES = [
  ['90', 'in 90 days'],
  ['30', 'in 30 days'],
  ['365', 'in a year'],
  ['', 'never'],
] as const
const FIELDS = ['name', 'role', 'project', 'expires_at']

type Made = Key & { readonly token: string }

export function NewKey({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [made, setMade] = useState<Made>()
  const show = (key: Made): void => {
    setMade(key)
    onMade()
  }
  return (
    <Dialog title={made === undefined ? 'New API key' : `The key ${made.name}`} onClose={onClose}>
      {made === undefined ? <Form onClose={onClose} onMade={show} /> : <Token made={made} onClose={onClose} />}
    </Dialog>
  )
}

function Form({ onClose, onMade }: { onClose: () => void; onMade: (key: Made) => void }) {
  const [problems, setProblems] = useState<readonly Problem[]>([])
  const { data: projects = [] } = useLoad(
    'projects',
    async (signal) => (await get<{ slug: string; name: string }[]>('/projects', {}, signal)).body,
  )
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    try {
      onMade((await post<Made>('/admin/keys', bodyOf(new FormData(event.currentTarget as HTMLFormElement)))).body)
    } catch (error) {
      setProblems(problemsOf(error))
    }
  }
  const others = problems.filter(({ key }) => !FIELDS.includes(key))
  return (
    <form class="stacked" onSubmit={submit}>
      {others.length > 0 && (
        <p class="notice" data-tone="bad" role="alert">
          {others.map(({ text }) => text).join(' ')}
        </p>
      )}
      <Field
        id="key-name"
        label="Name"
        hint="Who or what uses it; the audit log shows it."
        problems={textsAt(problems, 'name')}
      >
        {(control) => <input {...control} name="name" required maxLength={100} autocomplete="off" />}
      </Field>
      <Field id="key-role" label="Role" problems={textsAt(problems, 'role')}>
        {(control) => (
          <select {...control} name="role">
            <Options options={Object.entries(ROLES)} />
          </select>
        )}
      </Field>
      <Field
        id="key-project"
        label="Project"
        hint="A key of one project reaches nothing of the others."
        problems={textsAt(problems, 'project')}
      >
        {(control) => (
          <select {...control} name="project">
            <Options options={[['', 'all projects'], ...projects.map(({ slug, name }) => [slug, name] as const)]} />
          </select>
        )}
      </Field>
      <Field id="key-expiry" label="Expires" problems={textsAt(problems, 'expires_at')}>
        {(control) => (
          <select {...control} name="days">
            <Options options={LIFETIMES} />
          </select>
        )}
      </Field>
      <div class="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
        <button type="submit" class="primary">
          Make key
        </button>
      </div>
    </form>
  )
}

function Options({ options }: { options: readonly (readonly [value: string, label: string])[] }) {
  return (
    <>
      {options.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </>
  )
}

function bodyOf(given: FormData): Record<string, unknown> {
  const { name, role, project, days } = Object.fromEntries(given)
  const expiresAt = new Date(Date.now() + Number(days) * DAY_MS).toISOString()
  return { name, role, ...(project !== '' && { project }), ...(days !== '' && { expires_at: expiresAt }) }
}

function Token({ made, onClose }: { made: Made; onClose: () => void }) {
  return (
    <>
      <p role="status">
        Copy it now: it is shown this once and kept nowhere. Send it as <code>Authorization: Bearer …</code>
      </p>
      <div class="token">
        <code>{made.token}</code>
        <Copy text={made.token} what="key" />
      </div>
      <div class="actions">
        <button type="button" class="primary" onClick={onClose}>
          I have copied it
        </button>
      </div>
    </>
  )
}
