/** Settings without a default that only some processes need. */
import { CodedError } from '#libs/errors'
import type { Config } from './schema.ts'

/** @throws CONFIG_INVALID where no secret seals messages */
export function requireSecrets({ secrets }: Config): void {
  if (secrets.cipher.length > 0) return
  throw new CodedError(
    'CONFIG_INVALID',
    'secrets.cipher: found nothing, allowed a list of text of 16 or more characters, the same for every service; ' +
      'set SECRETS_CIPHER or SECRETS_CIPHER_FILE, for instance to the output of: openssl rand -base64 32',
  )
}

/** @throws CONFIG_INVALID where no database is named */
export function requireDatabase({ postrider }: Config): void {
  if (postrider.database.url !== '') return
  throw new CodedError(
    'CONFIG_INVALID',
    'postrider.database.url: found nothing, allowed a postgres:// URL; set DATABASE_URL or DATABASE_URL_FILE',
  )
}
