/** Projects in the database. */
import type { Tx } from '#libs/database'

export interface ProjectRow {
  readonly id: string
  readonly slug: string
  readonly name: string
  /** Of its newest configuration; 0 for none. */
  readonly revision: number
  readonly created_at: Date
  readonly updated_at: Date
}

const PROJECT = `
  select p.id, p.slug, p.name, coalesce(r.number, 0) as revision, p.created_at,
         greatest(p.updated_at, r.created_at) as updated_at
  from config.project p
  left join lateral (
    select number, created_at from config.revision where project_id = p.id order by number desc limit 1
  ) r on true`

/** Oldest first. @param only the one project that may be seen; undefined for all */
export async function listProjects(tx: Tx, only: string | undefined): Promise<ProjectRow[]> {
  const { rows } = await tx.query<ProjectRow>({
    text: `${PROJECT} where $1::uuid is null or p.id = $1 order by p.created_at, p.id`,
    values: [only ?? null],
  })
  return rows
}

/** @returns the project of that id or slug alone, else the first two whose id or slug begins like that */
export async function findProjects(tx: Tx, text: string): Promise<ProjectRow[]> {
  const { rows } = await tx.query<ProjectRow & { readonly is_exact: boolean }>({
    text: `select *, id::text = lower($1) or slug = $1 as is_exact from (${PROJECT}) project
           where starts_with(id::text, lower($1)) or starts_with(slug, $1)
           order by is_exact desc, id limit 2`,
    values: [text],
  })
  return (rows[0]?.is_exact ? rows.slice(0, 1) : rows).map(({ is_exact: _, ...project }) => project)
}

/** @returns its id; undefined where the slug is taken */
export async function insertProject(tx: Tx, slug: string, name: string): Promise<string | undefined> {
  const { rows } = await tx.query<{ id: string }>({
    text: `insert into config.project (id, slug, name) values (gen_random_uuid(), $1, $2)
           on conflict (slug) do nothing returning id`,
    values: [slug, name],
  })
  return rows[0]?.id
}

/** Slugs that begin with `prefix`. */
export async function takenSlugs(tx: Tx, prefix: string): Promise<Set<string>> {
  const { rows } = await tx.query<{ slug: string }>({
    text: 'select slug from config.project where starts_with(slug, $1)',
    values: [prefix],
  })
  return new Set(rows.map(({ slug }) => slug))
}

export async function renameProject(tx: Tx, id: string, name: string): Promise<void> {
  await tx.query({
    text: 'update config.project set name = $2, updated_at = now() where id = $1 and name <> $2',
    values: [id, name],
  })
}

/** Until the transaction ends nobody else gives the project a revision. */
export async function lockProject(tx: Tx, id: string): Promise<void> {
  await tx.query({ text: 'select from config.project where id = $1 for no key update', values: [id] })
}
