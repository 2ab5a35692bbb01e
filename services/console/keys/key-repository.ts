/** SQL on keys and sign-ins. Holds no secrets: only their hashes come and go. */
import type { Tx } from '#libs/database'
import type { Role } from '../access.ts'

export interface KeyRow {
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly project_id: string | null
  /** Slug of its project. */
  readonly project: string | null
  readonly created_at: Date
  readonly last_used_at: Date | null
  readonly expires_at: Date | null
  readonly revoked_at: Date | null
}

export interface KeyWithHash extends KeyRow {
  readonly hash: Buffer
}

export interface SignInRow {
  readonly key_id: string
  readonly key_hash: Buffer
}

const COLUMNS = `k.id, k.name, k.role, k.project_id, p.slug as project, k.created_at, k.last_used_at, k.expires_at, k.revoked_at`
const FROM = 'from config.api_key k left join config.project p on p.id = k.project_id'

/** The key, while it is neither revoked nor expired. */
export async function findLiveKey(database: Tx, id: string): Promise<KeyWithHash | undefined> {
  const { rows } = await database.query<KeyWithHash>({
    name: 'find-live-key',
    text: `select ${COLUMNS}, k.hash ${FROM}
           where k.id = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())`,
    values: [id],
  })
  return rows[0]
}

export async function isKeyLive(database: Tx, id: string): Promise<boolean> {
  return (await findLiveKey(database, id)) !== undefined
}

/** Newest first, the revoked and expired ones too. */
export async function listKeys(database: Tx): Promise<KeyRow[]> {
  const { rows } = await database.query<KeyRow>({ text: `select ${COLUMNS} ${FROM} order by k.created_at desc, k.id` })
  return rows
}

export async function insertKey(
  database: Tx,
  key: Pick<KeyWithHash, 'id' | 'name' | 'role' | 'project_id' | 'hash' | 'expires_at'>,
): Promise<KeyRow> {
  await database.query({
    text: 'insert into config.api_key (id, name, role, project_id, hash, expires_at) values ($1, $2, $3, $4, $5, $6)',
    values: [key.id, key.name, key.role, key.project_id, key.hash, key.expires_at],
  })
  const { rows } = await database.query<KeyRow>({ text: `select ${COLUMNS} ${FROM} where k.id = $1`, values: [key.id] })
  return rows[0]!
}

/** Ends the key and what it opened; the first time counts. @returns false where there is no such key */
export async function revokeKey(database: Tx, id: string): Promise<boolean> {
  const { rowCount } = await database.query({
    text: `with ended as (delete from config.sign_in where key_id = $1)
           update config.api_key set revoked_at = coalesce(revoked_at, now()) where id = $1`,
    values: [id],
  })
  return rowCount > 0
}

/** Writes at most once a minute for each key. */
export async function touchKey(database: Tx, id: string): Promise<void> {
  await database.query({
    name: 'touch-key',
    text: `update config.api_key set last_used_at = now()
           where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    values: [id],
  })
}

export async function hasKeys(database: Tx): Promise<boolean> {
  const { rows } = await database.query({ text: 'select from config.api_key where revoked_at is null limit 1' })
  return rows.length > 0
}

/** Drops the expired ones on the way. */
export async function insertSignIn(database: Tx, hash: Buffer, signIn: SignInRow, lifetimeMs: number): Promise<void> {
  await database.query({
    text: `with ended as (delete from config.sign_in where expires_at < now())
           insert into config.sign_in (hash, key_id, key_hash, expires_at)
           values ($1, $2, $3, now() + $4 * interval '1 millisecond')`,
    values: [hash, signIn.key_id, signIn.key_hash, lifetimeMs],
  })
}

export async function findSignIn(database: Tx, hash: Buffer): Promise<SignInRow | undefined> {
  const { rows } = await database.query<SignInRow>({
    name: 'find-sign-in',
    text: 'select key_id, key_hash from config.sign_in where hash = $1 and expires_at > clock_timestamp()',
    values: [hash],
  })
  return rows[0]
}

export async function deleteSignIn(database: Tx, hash: Buffer): Promise<void> {
  await database.query({ text: 'delete from config.sign_in where hash = $1', values: [hash] })
}

/** The project of a message, projected or only accepted. @param id a UUID */
export async function findProjectOfMessage(database: Tx, id: string): Promise<string | undefined> {
  const { rows } = await database.query<{ project_id: string }>({
    name: 'find-project-of-message',
    text: `select project_id from console.message where id = $1
           union all select project_id from console.accepted where id = $1 limit 1`,
    values: [id],
  })
  return rows[0]?.project_id
}
