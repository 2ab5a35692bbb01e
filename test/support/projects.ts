import type { Database } from '#libs/database'
import { openSealer } from '#libs/messages'

export interface Projects {
  /** Writes a revision of its settings, which services follow; makes the project first, where it is new, named like its slug. */
  readonly configure: (slug: string, settings: unknown) => Promise<{ readonly id: string; readonly number: number }>
  readonly rename: (slug: string, name: string) => Promise<void>
}

/** Projects with settings of their own, sealed as the services unseal them. */
export function openProjects(database: Database, secret: string): Projects {
  const sealer = openSealer([secret])
  return {
    configure: async (slug, settings) => {
      const { rows } = await database.query<{ id: string }>({
        text: `insert into config.project (id, slug, name) values (gen_random_uuid(), $1, $1)
               on conflict (slug) do update set slug = excluded.slug returning id`,
        values: [slug],
      })
      const id = rows[0]!.id
      const written = await database.query<{ number: number }>({
        text: `insert into config.revision (project_id, number, sealed, author)
               select $1, coalesce(max(number), 0) + 1, $2, 'test' from config.revision where project_id = $1
               returning number`,
        values: [id, sealer.seal(id, 'revision', settings)],
      })
      return { id, number: written.rows[0]!.number }
    },
    rename: async (slug, name) => {
      await database.query({ text: 'update config.project set name = $2 where slug = $1', values: [slug, name] })
    },
  }
}
