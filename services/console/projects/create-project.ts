import { CodedError } from '#libs/errors'
import { isUuid } from '#libs/messages'
import { acceptConfig } from './accept-config.ts'
import { findProject } from './find-project.ts'
import { insertProject, type ProjectRow, takenSlugs } from './project-repository.ts'
import { storeRevision } from './store-revision.ts'
import type { ProjectPorts } from './write-config.ts'

export interface NewProject {
  readonly name: string
  /** @default made from the name */
  readonly slug: string | undefined
  /** @default an empty one */
  readonly identityConfig: unknown
}

const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/
const LONGEST_SLUG = 63
const LONGEST_NAME = 100
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u
const FIELDS: readonly string[] = ['name', 'slug', 'identity_config']
/** Leaves room for a number behind it. */
const LONGEST_BASE = 56

/** @throws REQUEST_INVALID with field and remedy */
export function readNewProject(body: unknown): NewProject {
  const fields = readFields(body, FIELDS)
  const { slug, identity_config: identityConfig = {} } = fields
  if (slug !== undefined && (typeof slug !== 'string' || !SLUG.test(slug) || isUuid(slug)))
    throw new CodedError(
      'REQUEST_INVALID',
      `slug: expected 1 to ${LONGEST_SLUG} of a-z, 0-9 and dashes, not beginning with a dash and unlike an id`,
    )
  return { name: readName(fields.name), slug, identityConfig }
}

/** Of a project, which senders show. @throws REQUEST_INVALID */
export function readName(value: unknown): string {
  const name = typeof value === 'string' ? value.trim() : ''
  if (name === '' || name.length > LONGEST_NAME || CONTROL.test(name))
    throw new CodedError('REQUEST_INVALID', `name: expected 1 to ${LONGEST_NAME} characters on one line`)
  return name
}

/** @throws REQUEST_INVALID where `body` is no object or has other fields */
export function readFields(body: unknown, allowed: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new CodedError('REQUEST_INVALID', `body: expected an object with ${allowed.join(', ')}`)
  const unknown = Object.keys(body).find((key) => !allowed.includes(key))
  if (unknown !== undefined)
    throw new CodedError('REQUEST_INVALID', `${unknown.slice(0, 64)}: unknown field, allowed ${allowed.join(', ')}`)
  return body as Record<string, unknown>
}

/** Makes the project and its first revision. @throws REQUEST_INVALID, SLUG_TAKEN */
export async function createProject(
  { name, slug, identityConfig }: NewProject,
  author: string,
  { database, sealer, checkEmbedded }: ProjectPorts,
): Promise<{ project: ProjectRow; warnings: readonly string[] }> {
  const writing = { projectId: undefined, projectName: name, stored: {} }
  const { document, config, warnings } = acceptConfig(identityConfig, writing)
  const broken = await checkEmbedded(config)
  return database.transaction(async (tx) => {
    const chosen = slug ?? freeSlug(slugOf(name), await takenSlugs(tx, slugOf(name)))
    const projectId = await insertProject(tx, chosen, name)
    if (projectId === undefined)
      throw new CodedError('SLUG_TAKEN', `slug: ${chosen} is taken by another project; choose another one`)
    await storeRevision(tx, sealer, { revision: 0, document: {}, author: undefined }, { projectId, document, author })
    return { project: await findProject(tx, projectId), warnings: [...warnings, ...broken] }
  })
}

/** `Größe & Co.` becomes `grosse-co`: letters without their marks, everything else a dash. */
export function slugOf(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_BASE)
    .replace(/^-+|-+$/g, '')
  return plain === '' || isUuid(plain) ? 'project' : plain
}

function freeSlug(base: string, taken: ReadonlySet<string>): string {
  let slug = base
  for (let number = 2; taken.has(slug); number++) slug = `${base}-${number}`
  return slug
}
