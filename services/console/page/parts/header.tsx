import { useRef } from 'preact/hooks'
import { get } from '../api.ts'
import { useLoad } from '../load.ts'
import { project as chosenProject, hrefOf, path, setQuery } from '../location.ts'
import { NAVIGATION } from '../routes.ts'
import { session, signOut } from '../session.ts'
import { theme, toggleTheme } from '../theme.ts'
import { Icon } from './icon.tsx'

interface Project {
  readonly slug: string
  readonly name: string
}

interface Health {
  readonly status: string
  readonly parts: Readonly<Record<string, { readonly ok: boolean }>>
}

const THEME_ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const

export function Header() {
  return (
    <header>
      <a class="brand" href={hrefOf('/')}>
        <Icon of="mail" /> Postrider
      </a>
      <nav aria-label="Main">
        {NAVIGATION.map(({ to, label }) => (
          <a key={to} href={hrefOf(to)} aria-current={isWithin(path.value, to) ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <div class="header-end">
        <Projects />
        <PipelineHealth />
        <button type="button" class="quiet" onClick={toggleTheme} aria-label={`Theme: ${theme.value}`} title="Theme">
          <Icon of={THEME_ICONS[theme.value]} />
        </button>
        {session.value !== undefined && session.value.name !== 'local' && (
          <button type="button" class="quiet" onClick={signOut} title={`Signed in as ${session.value.name}`}>
            Sign out
          </button>
        )}
      </div>
    </header>
  )
}

function isWithin(at: string, to: string): boolean {
  return to === '/' ? at === '/' : at === to || at.startsWith(`${to}/`)
}

function Projects() {
  // Anew for a project that is not known yet: it may just have been made.
  const { data } = useLoad(
    `projects ${chosenProject.value}`,
    async (signal) => (await get<Project[]>('/projects', {}, signal)).body,
  )
  const list = useRef<readonly Project[]>([])
  list.current = data ?? list.current
  if (list.current.length < 2) return null
  return (
    <select
      aria-label="Project"
      value={chosenProject.value}
      onChange={(event) => setQuery({ project: event.currentTarget.value, page_token: '' })}
    >
      <option value="">All projects</option>
      {list.current.map(({ slug, name }) => (
        <option key={slug} value={slug}>
          {name}
        </option>
      ))}
    </select>
  )
}

function PipelineHealth() {
  const health = useLoad('health', readHealth, 10_000)
  const broken = Object.entries(health.data?.parts ?? {}).filter(([, { ok }]) => !ok)
  if (health.data === undefined && health.error === undefined) return null
  const text =
    health.data === undefined
      ? 'no answer'
      : broken.length === 0
        ? 'running'
        : `down: ${broken.map(([name]) => name).join(', ')}`
  return (
    <span class="health" role="status" data-tone={text === 'running' ? 'good' : 'bad'}>
      {text}
    </span>
  )
}

/** 503 is an answer as well: it says what is down. */
async function readHealth(signal: AbortSignal): Promise<Health> {
  const response = await fetch('/health/ready', { signal })
  return (await response.json()) as Health
}
