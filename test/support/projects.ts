import type { Database } from '#libs/database'
import { openSealer } from '#libs/messages'

export interface Projects {
  /** Writes a revision of its settings, which couriers follow; makes the project first, where it is new. */
  readonly configure: (slug: string, settings: unknown) => Promise<{ readonly id: string }>
}

/** Projects with settings of their own, sealed as the services unseal them. */
export function openProjects(database: Database, secret: string): Projects {
  const sealer = openSealer([secret])
  let revision = 0
  return {
    configure: async (slug, settings) => {
      const { rows } = await database.query<{ id: string }>({
        text: `insert into config.project (id, slug, name) values (gen_random_uuid(), $1, $1)
               on conflict (slug) do update set name = excluded.name returning id`,
        values: [slug],
      })
      const id = rows[0]!.id
      await database.query({
        text: 'insert into config.revision (project_id, number, sealed, author) values ($1, $2, $3, $4)',
        values: [id, ++revision, sealer.seal(id, 'revision', settings), 'test'],
      })
      return { id }
    },
  }
}
