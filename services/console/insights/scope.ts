/** Whose messages an answer is about: the project that was asked for, and never another one than that of the key. */
import type { Tx } from '#libs/database'
import type { Principal } from '../access.ts'
import { findProject } from '../projects/find-project.ts'
import { notFound } from '../show-message.ts'

/**
 * @param project id or slug; undefined or empty for all that the key may see
 * @returns its id; null for all
 * @throws NOT_FOUND for a project that is not there, or not the key's
 */
export async function projectScope(
  tx: Tx,
  project: string | undefined,
  principal: Principal | undefined,
): Promise<string | null> {
  const own = principal?.project?.id
  if (project === undefined || project === '') return own ?? null
  const { id } = await findProject(tx, project)
  if (own !== undefined && id !== own) throw notFound()
  return id
}
