/** How projects and their configurations are printed. */
import { sorted } from './document.ts'
import { type OutputFormat, toYaml } from './output-format.ts'
import { tableOf } from './print.ts'

export interface Project {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly environment: string
  readonly workspace_id: string | null
  readonly state: string
  readonly revision: number
}

export interface ChangedConfig {
  readonly revision: number
  readonly identity_config: unknown
  readonly warnings?: readonly string[]
}

export interface OutputOptions {
  readonly format: OutputFormat
  readonly quiet?: true
}

const HEAD = ['ID', 'NAME', 'ENVIRONMENT', 'WORKSPACE', 'SLUG', 'STATE']

export function printProjects(projects: readonly Project[], { format, quiet }: OutputOptions): void {
  const text = quiet
    ? projects.map(({ id }) => `${id}\n`).join('')
    : format(projects, () => tableOf(HEAD, projects.map(cellsOf)))
  process.stdout.write(text)
}

export function printProject(project: Project, { format, quiet }: OutputOptions): void {
  const cells = cellsOf(project)
  const rows = HEAD.map((name, index) => [name, cells[index] ?? ''])
  process.stdout.write(quiet ? `${project.id}\n` : format(project, () => tableOf(['FIELD', 'VALUE'], rows)))
}

/** Keys in order; YAML is also what people read. */
export function printConfig(config: unknown, format: OutputFormat): void {
  const data = sorted(config)
  process.stdout.write(format(data, () => toYaml(data)))
}

/** The configuration as it is now, and on stderr that it was changed and what of it was ignored. */
export function printChange(change: ChangedConfig, { format, quiet }: OutputOptions, message: string): void {
  if (quiet) return
  printConfig(change.identity_config, format)
  console.error(message)
  const { warnings = [] } = change
  if (warnings.length === 0) return
  console.error('\nWarnings were found.')
  for (const warning of warnings) console.error(`- ${warning}`)
}

function cellsOf(project: Project): string[] {
  const { id, name, environment, workspace_id: workspace, slug, state } = project
  return [id, name, environment, workspace || '<none>', slug, state]
}
