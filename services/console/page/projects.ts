/** The projects that whoever uses the page may see, for views that show or name them. */
import { get } from './api.ts'
import { useLoad } from './load.ts'

export interface Project {
  readonly id: string
  readonly slug: string
  readonly name: string
}

const NONE: readonly Project[] = []

/** Empty until they are known. */
export function useProjects(): readonly Project[] {
  const { data } = useLoad('projects', async (signal) => (await get<Project[]>('/projects', {}, signal)).body)
  return data ?? NONE
}
