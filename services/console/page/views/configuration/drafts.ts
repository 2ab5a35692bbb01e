/** What was changed and not saved, by project. Kept while the page is open: going back and forth loses nothing. */
import { signal } from '@preact/signals'
import { get, send } from '../../api.ts'
import { changesBetween } from './changes.ts'
import { type Doc, withValue } from './document.ts'

export interface Shown {
  readonly revision: number
  readonly document: Doc
}

export interface Draft extends Shown {
  /** As it is stored in `revision`. */
  readonly base: Doc
}

export interface Changed {
  readonly revision: number
  readonly identity_config: Doc
  readonly warnings: readonly string[]
}

const drafts = signal<Readonly<Record<string, Draft>>>({})

export function draftOf(project: string): Draft | undefined {
  return drafts.value[project]
}

export function isDirty(draft: Draft | undefined): boolean {
  return draft !== undefined && draft.base !== draft.document && changesBetween(draft.base, draft.document).length > 0
}

/** Any project's. */
export function dirtyProjects(): readonly string[] {
  return Object.keys(drafts.value).filter((project) => isDirty(drafts.value[project]))
}

/** What is stored becomes what is shown, and `document` what is edited. */
export function adopt(project: string, { revision, document: base }: Shown, document: Doc = base): void {
  drafts.value = { ...drafts.value, [project]: { revision, base, document } }
}

export function edit(project: string, document: Doc): void {
  const draft = drafts.value[project]
  if (draft !== undefined) drafts.value = { ...drafts.value, [project]: { ...draft, document } }
}

export function editAt(project: string, at: string, value: unknown): void {
  const draft = drafts.value[project]
  if (draft !== undefined) edit(project, withValue(draft.document, at, value))
}

export function discard(project: string): void {
  const draft = drafts.value[project]
  if (draft !== undefined) edit(project, draft.base)
}

export function configPath(project: string): string {
  return `/projects/${encodeURIComponent(project)}`
}

export async function readConfig(project: string, signal?: AbortSignal): Promise<Shown> {
  const { body, headers } = await get<Doc>(`${configPath(project)}/identity-config`, {}, signal)
  return { revision: Number(/\d+/.exec(headers.get('etag') ?? '')?.[0] ?? 0), document: body }
}

/** @returns warnings. @throws ApiError: 400 with problems, 412 where another revision is the newest */
export async function saveDraft(project: string): Promise<Changed> {
  const { revision, document } = drafts.value[project]!
  const match = { 'if-match': `"${revision}"` }
  const { body } = await send<Changed>('PUT', `${configPath(project)}/identity-config`, document, match)
  adopt(project, { revision: body.revision, document: body.identity_config })
  return body
}
