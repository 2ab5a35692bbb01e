import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { setQuery } from '../../location.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { tell } from '../../parts/toast.tsx'
import { type Problem, problemsOf, textsAt } from './problems.ts'

const FIELDS = ['name', 'slug']

/** A project with a name and, if wanted, a slug; its configuration follows in the form. */
export function NewProject({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [problems, setProblems] = useState<readonly Problem[]>([])
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const given = new FormData(event.currentTarget as HTMLFormElement)
    const [name, slug] = [String(given.get('name')), String(given.get('slug'))]
    try {
      const { body } = await post<{ slug: string }>('/projects', { name, ...(slug !== '' && { slug }) })
      onMade()
      onClose()
      setQuery({ project: body.slug })
      tell(`Project ${name} made`)
    } catch (error) {
      setProblems(problemsOf(error))
    }
  }
  const others = problems.filter(({ key }) => !FIELDS.includes(key))
  return (
    <Dialog title="New project" onClose={onClose}>
      <form class="stacked" onSubmit={submit}>
        {others.length > 0 && (
          <p class="notice" data-tone="bad" role="alert">
            {others.map(({ text }) => text).join(' ')}
          </p>
        )}
        <Field id="new-project-name" label="Name" hint="Senders show it." problems={textsAt(problems, 'name')}>
          {(control) => <input {...control} name="name" required maxLength={100} autocomplete="off" />}
        </Field>
        <Field
          id="new-project-slug"
          label="Slug"
          hint="Lower-case letters, digits and dashes; made from the name where you leave it out."
          problems={textsAt(problems, 'slug')}
        >
          {(control) => <input {...control} name="slug" maxLength={63} autocomplete="off" spellcheck={false} />}
        </Field>
        <div class="actions">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" class="primary">
            Make project
          </button>
        </div>
      </form>
    </Dialog>
  )
}
