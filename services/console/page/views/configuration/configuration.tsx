/** Email Configuration of one project: how its mail goes out, tested, and every revision of it. */
import { useEffect, useState } from 'preact/hooks'
import { ApiError, get } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { project as chosenProject, query, setQuery } from '../../location.ts'
import { Problem as Failure, Loading } from '../../parts/notices.tsx'
import { tell } from '../../parts/toast.tsx'
import { session } from '../../session.ts'
import { changesBetween } from './changes.ts'
import './configuration.css'
import { Conflict } from './conflict.tsx'
import { adopt, type Draft, discard, draftOf, edit, editAt, isDirty, readConfig, saveDraft } from './drafts.ts'
import { useLeaveGuard } from './leave-guard.ts'
import { NewProject } from './new-project.tsx'
import { controlOf, type Problem, problemsOf } from './problems.ts'
import { Revisions } from './revisions.tsx'
import { ErrorSummary, SaveBar } from './save-bar.tsx'
import { isAdvanced, Settings, showAdvanced } from './settings.tsx'
import { TestConnection } from './test-connection.tsx'
import { TestMessage } from './test-message.tsx'

const DEFAULT = 'default'
const DEFAULT_ID = '00000000-0000-7000-8000-000000000001'
const TABS = { settings: 'Settings', test: 'Test', revisions: 'Revisions' } as const

export function Configuration() {
  const project = chosenProject.value || session.value?.project || DEFAULT
  const { data, error, reload } = useLoad(`identity-config ${project}`, (signal) => readConfig(project, signal))
  useEffect(() => {
    // What was changed and not saved stays, over the revision that it was made from.
    if (data !== undefined && !isDirty(draftOf(project))) adopt(project, data)
  }, [data])
  const draft = draftOf(project)
  return (
    <>
      <div class="title">
        <h1>Email Configuration</h1>
        <ProjectBar project={project} />
      </div>
      {draft === undefined && error === undefined && <Loading lines={10} label="Loading configuration" />}
      {draft === undefined && error && <Failure error={error} onRetry={reload} />}
      {draft && <Project key={project} project={project} draft={draft} />}
    </>
  )
}

function ProjectBar({ project }: { project: string }) {
  const [isMaking, setMaking] = useState(false)
  const { data = [], reload } = useLoad(
    'projects',
    async (signal) => (await get<{ id: string; slug: string; name: string }[]>('/projects', {}, signal)).body,
  )
  return (
    <div class="toolbar-group project-bar">
      <label>
        Project
        <select
          value={data.find(({ id, slug }) => id === project || slug === project)?.slug ?? project}
          onChange={({ currentTarget }) => setQuery({ project: currentTarget.value })}
        >
          {data.length === 0 && <option value={project}>{project}</option>}
          {data.map(({ slug, name }) => (
            <option key={slug} value={slug}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {session.value?.role === 'admin' && (
        <button type="button" onClick={() => setMaking(true)}>
          New project
        </button>
      )}
      {isMaking && <NewProject onClose={() => setMaking(false)} onMade={reload} />}
    </div>
  )
}

function Project({ project, draft }: { project: string; draft: Draft }) {
  const tab = query.value.get('tab') ?? 'settings'
  const isReadOnly = session.value?.role !== 'admin'
  useLeaveGuard()
  return (
    <>
      <nav class="tabs" aria-label="Parts of the configuration">
        {Object.entries(TABS).map(([name, label]) => (
          <button
            key={name}
            type="button"
            aria-current={name === tab ? 'page' : undefined}
            onClick={() => setQuery({ tab: name === 'settings' ? '' : name }, { replace: true })}
          >
            {label}
          </button>
        ))}
      </nav>
      {isReadOnly && <p class="notice">Your key shows the configuration. Changing it takes the role admin.</p>}
      {tab === 'test' && (
        <div class="grid">
          <TestConnection project={project} draft={draft} />
          <TestMessage project={project} isDirty={isDirty(draft)} />
        </div>
      )}
      {tab === 'revisions' && <Revisions project={project} isReadOnly={isReadOnly} />}
      {tab !== 'test' && tab !== 'revisions' && <Editor project={project} draft={draft} isReadOnly={isReadOnly} />}
    </>
  )
}

interface EditorProps {
  readonly project: string
  readonly draft: Draft
  readonly isReadOnly: boolean
}

function Editor({ project, draft, isReadOnly }: EditorProps) {
  const { problems, warnings, isSaving, isConflict, save, forget } = useSaving(project)
  const isDefault = project === DEFAULT || project === DEFAULT_ID
  const form = {
    document: draft.document,
    base: draft.base,
    problems,
    isReadOnly,
    set: (at: string, value: unknown) => editAt(project, at, value),
  }
  return (
    <form
      class="configuration"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <ErrorSummary problems={problems} />
      <Warnings warnings={warnings} />
      {isDefault && (
        <p class="hint">The operator's file and environment become revisions of this project, whenever they change.</p>
      )}
      <Settings form={form} isDefault={isDefault} onReplace={(document) => edit(project, document)} />
      <SaveBar
        changeCount={changesBetween(draft.base, draft.document).length}
        isSaving={isSaving}
        onDiscard={() => {
          discard(project)
          forget()
        }}
      />
      {isConflict && <Conflict project={project} draft={draft} onClose={forget} />}
    </form>
  )
}

interface Outcome {
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
  readonly isSaving: boolean
  readonly isConflict: boolean
}

const NOTHING: Outcome = { problems: [], warnings: [], isSaving: false, isConflict: false }

function useSaving(project: string) {
  const [outcome, setOutcome] = useState(NOTHING)
  useEffect(() => {
    const isHidden = ({ key }: Problem): boolean => key !== '' && controlOf(key) === null
    if (!isAdvanced() && outcome.problems.some(isHidden)) showAdvanced(true)
  }, [outcome.problems])
  const save = async (): Promise<void> => {
    if (!isDirty(draftOf(project))) return
    setOutcome({ ...NOTHING, isSaving: true })
    try {
      const { revision, warnings } = await saveDraft(project)
      setOutcome({ ...NOTHING, warnings })
      tell(`Saved as revision ${revision}. New mail goes by it at once.`)
    } catch (error) {
      const isConflict = error instanceof ApiError && error.status === 412
      setOutcome({ ...NOTHING, isConflict, problems: isConflict ? [] : problemsOf(error) })
    }
  }
  return { ...outcome, save, forget: () => setOutcome(NOTHING) }
}

function Warnings({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null
  return (
    <div class="notice summary" data-tone="wait" role="status">
      <p>
        <b>Saved, with {warnings.length === 1 ? 'a warning' : 'warnings'}.</b>
      </p>
      <ul>
        {warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    </div>
  )
}
