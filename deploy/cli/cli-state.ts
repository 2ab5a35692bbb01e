/** What the command line remembers between two calls: the project chosen by `use project`. */
import { join } from 'node:path'
import { readState, writeState } from '../local/state-file.ts'

interface CliState {
  /** Id. */
  readonly selected_project: string
}

/** ORY_CONFIG_PATH, else `cli.json` of POSTRIDER_HOME. */
export function statePath(env: NodeJS.ProcessEnv): string {
  return env.ORY_CONFIG_PATH || join(env.POSTRIDER_HOME || '.postrider', 'cli.json')
}

export async function readSelectedProject(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { selected_project: selected } = (await readState<CliState>(statePath(env))) ?? {}
  return selected || undefined
}

/** Keeps what else stands there: with ORY_CONFIG_PATH it may be a file of Ory's command line, with a token. */
export async function writeSelectedProject(env: NodeJS.ProcessEnv, id: string): Promise<void> {
  const path = statePath(env)
  await writeState(path, { ...(await readState<CliState>(path)), selected_project: id }, 0o600)
}
