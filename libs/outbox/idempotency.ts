/** The same request under the same key gives the same ids for 24 h. Only hashes are kept, of the request under the cipher secrets. */
import { createHash } from 'node:crypto'
import { CodedError } from '#libs/errors'
import { asMessageId, DEFAULT_PROJECT_ID, type MessageId, type Sealer } from '#libs/messages'
import { arrayLiteral } from './array-literal.ts'
import type { OutboxTx } from './outbox-tx.ts'

export interface Idempotency {
  /** Service, route, project and principal: the same key of another scope is another key. */
  readonly scope: string
  readonly key: string
  /** The request as it came. */
  readonly request: unknown
}

const CLAIM = 'select outbox.claim_key($1, $2, $3, $4::uuid[]) as claimed'
const BOUND = `
  select request_hash as "requestHash", array_to_string(ids, ',') as ids from outbox.idempotency
  where scope = $1 and key_hash = $2`

/**
 * Binds the key to `ids` in this transaction, waiting while another one does the same.
 * @returns the ids that the key was bound to before, undefined when it is new
 * @throws IDEMPOTENCY_MISMATCH if it was bound by another request
 */
export async function bindKey(
  tx: OutboxTx,
  { scope, key, request }: Idempotency,
  ids: readonly MessageId[],
  sealer: Sealer,
): Promise<MessageId[] | undefined> {
  const keyHash = createHash('sha256').update(key).digest()
  const hashes = sealer.hmacs(DEFAULT_PROJECT_ID, `idempotency ${JSON.stringify(request)}`)
  const { rows } = await tx.query(CLAIM, [scope, keyHash, hashes[0], arrayLiteral(ids, (id) => id)])
  if ((rows[0] as { claimed: boolean }).claimed) return undefined

  const bound = (await tx.query(BOUND, [scope, keyHash])).rows[0] as { requestHash: string; ids: string }
  if (!hashes.includes(bound.requestHash))
    throw new CodedError('IDEMPOTENCY_MISMATCH', 'Idempotency-Key: used before with another request')
  return bound.ids.split(',').map(asMessageId)
}
