import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import type { Telemetry } from '#libs/telemetry'
import { needsNoKey } from './guard-access.ts'
import { hasKeys } from './key-repository.ts'

/** Tells whoever starts a console that nobody can use yet how to make its first key. Never keeps it from starting. */
export async function announceFirstKey(
  database: Database,
  {
    adminKey,
    ...reached
  }: { readonly host: string; readonly publicOrigin: string | undefined; readonly adminKey: string },
  log: Telemetry['log'],
): Promise<void> {
  if (needsNoKey(reached) || adminKey !== '') return
  try {
    if (await hasKeys(database)) return
    log.warn(
      'no key exists, so nobody can use this console: run postrider keys create --name ops --role admin with its DATABASE_URL, ' +
        'or set POSTRIDER_CONSOLE_ADMIN_KEY',
    )
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'it is not known whether keys exist')
  }
}
