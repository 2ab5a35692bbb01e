/** Keys for tests, made as an operator makes them. */
import { createKey, type KeyRequest } from '../../../../services/console/keys/manage-keys.ts'
import type { TestConsole } from '../open-console.ts'

export const STUB = { template_type: 'stub', template_data: { subject: 's', body: 'b' } }

/** @returns the headers of a request with a new key, and its id and token */
export async function makeKey(console: TestConsole, request: Partial<KeyRequest>) {
  const key = await createKey(console.database, { name: 'test', role: 'admin', ...request }, 'test')
  return { ...key, headers: bearer(key.token) }
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}

/** @returns its id */
export async function makeProject(console: TestConsole, slug: string): Promise<string> {
  const { rows } = await console.database.query<{ id: string }>({
    text: 'insert into config.project (id, slug, name) values (gen_random_uuid(), $1, $1) returning id',
    values: [slug],
  })
  return rows[0]!.id
}
