/** GET /admin/courier/messages/{id}: one message with its dispatches. */
import type { Database } from '#libs/database'
import { CodedError } from '#libs/errors'
import { openBlockedBy } from './blocked-by.ts'
import { openDispatches } from './list-dispatches.ts'
import { type JsonOptions, messageJson } from './message-json.ts'
import { findMessage } from './message-repository.ts'

export interface ShowPorts extends JsonOptions {
  readonly database: Database
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const UUID_LENGTH = 36

/** @throws REQUEST_INVALID in the words of Ory's API when `id` is no UUID, NOT_FOUND */
export async function showMessage(id: string, ports: ShowPorts) {
  checkId(id)
  const row = await findMessage(ports.database, id)
  if (row === undefined) throw notFound()
  const dispatchesOf = await openDispatches([row], ports, true)
  const blockedBy = await openBlockedBy(ports.database, [row])
  return {
    ...messageJson(row, blockedBy(row), ports),
    ...dispatchesOf(row.id),
  }
}

/** @throws REQUEST_INVALID in the words of Ory's API */
export function checkId(id: string): void {
  if (!UUID.test(id)) throw new CodedError('REQUEST_INVALID', malformed(id))
}

export function notFound(): CodedError {
  return new CodedError('NOT_FOUND', 'Unable to locate the resource')
}

function malformed(id: string): string {
  if (id.length !== UUID_LENGTH) return `uuid: incorrect UUID length ${id.length} in string ${JSON.stringify(id)}`
  return `uuid: incorrect UUID format in string ${JSON.stringify(id)}`
}
