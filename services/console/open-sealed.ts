import { CodedError } from '#libs/errors'
import type { Sealer } from '#libs/messages'

/** undefined where nothing is sealed, or its secret is missing here: the rest can still be shown. */
export function openSealed<T>(
  { project_id, sealed }: { readonly project_id: string; readonly sealed: string | null },
  sealer: Sealer,
): T | undefined {
  if (sealed === null) return undefined
  try {
    return sealer.open(project_id, sealed) as T
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}
