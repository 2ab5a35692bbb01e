/** Which project a command is about. */
import type { Command } from 'commander'
import { isCoded } from '#libs/errors'
import { readSelectedProject, statePath } from './cli-state.ts'

export interface ProjectOptions {
  readonly project?: string
  readonly workspace?: string
}

export interface ProjectChoice {
  /** Path of the project in the API. */
  readonly path: string
  /** As it was given: id, slug or the beginning of either. */
  readonly given: string
  /** Where it was given. */
  readonly origin: string
}

const DEFAULT_SLUG = 'default'

/** Adds the project as argument and as option: both forms are in use. */
export function takesProject(command: Command): Command {
  return takesWorkspace(command)
    .argument('[project-id]', 'id or slug of the project, or the unique beginning of one')
    .option('--project <id>', 'the same as an option (default: ORY_PROJECT, else use project, else default)')
}

export function takesWorkspace(command: Command): Command {
  return command.option('--workspace <id>', 'accepted and ignored: there are no workspaces here')
}

/** Argument, else `--project`, else ORY_PROJECT, else the one chosen by `use project`, else the one that exists everywhere. */
export async function chooseProject(
  argument: string | undefined,
  { project, workspace }: ProjectOptions,
  command: Command,
): Promise<ProjectChoice> {
  noteWorkspace(workspace)
  if (argument && project && argument !== project)
    command.error(`error: found project ${argument} and --project ${project}, allowed one of the two`)
  const { env } = process
  if (argument || project) return choice(argument || project || '', 'the command line')
  if (env.ORY_PROJECT) return choice(env.ORY_PROJECT, 'ORY_PROJECT')
  const selected = await readSelectedProject(env)
  return selected === undefined ? choice(DEFAULT_SLUG, 'the default') : choice(selected, statePath(env))
}

export function noteWorkspace(workspace: string | undefined): void {
  if (workspace !== undefined) console.error('note: --workspace is ignored: there are no workspaces here')
}

/** Runs `ask`; where the project does not exist, the error says who named it. */
export async function withProject<T>({ given, origin }: ProjectChoice, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!isCoded(error, 'NOT_FOUND')) throw error
    throw new Error(
      `${error.message} (project ${given}, named by ${origin}; list projects and list revisions show what there is)`,
      {
        cause: error,
      },
    )
  }
}

function choice(given: string, origin: string): ProjectChoice {
  return { path: `projects/${encodeURIComponent(given)}`, given, origin }
}
