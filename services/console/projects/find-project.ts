import type { Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { findProjects, type ProjectRow } from './project-repository.ts'

const LONGEST = 63

/**
 * The project that `text` names: its id, its slug, or the beginning of either.
 * @throws NOT_FOUND, REQUEST_INVALID where several begin like that
 */
export async function findProject(tx: Tx, text: string): Promise<ProjectRow> {
  // No id and no slug has other characters, and PostgreSQL takes no NUL.
  const isPossible = text.length <= LONGEST && /^[\w-]+$/.test(text)
  const [project, other] = isPossible ? await findProjects(tx, text) : []
  if (project === undefined)
    throw new CodedError('NOT_FOUND', 'Unable to locate the resource: there is no such project')
  if (other === undefined) return project
  throw new CodedError('REQUEST_INVALID', `The slug or ID prefix "${text}" is not unique, please use more characters.`)
}

/** As the API shows it. */
export function projectJson({ id, slug, name, revision, created_at, updated_at }: ProjectRow) {
  const asOry = { environment: 'prod', workspace_id: null, state: 'running' } as const
  return { id, slug, name, ...asOry, revision, created_at, updated_at }
}

/** Its configuration is the operator's. */
export function scopeOf(projectId: string): { readonly isDefault: boolean } {
  return { isDefault: projectId === DEFAULT_PROJECT_ID }
}
