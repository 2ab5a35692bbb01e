import type { Tx } from '#libs/database'
import type { Sealer } from '#libs/messages'
import { attemptDetails } from './attempt-details.ts'
import { dispatchJson } from './message-json.ts'
import { listDispatches, type MessageRow } from './message-repository.ts'

export type DispatchJson = ReturnType<typeof dispatchJson>

export interface DispatchPorts {
  readonly database: Tx
  readonly sealer: Sealer
}

/**
 * Asks once for all of `rows`.
 * @param withWords also what courier and peer said to each other, which is long
 * @returns of a message `{ dispatches }`, newest first; left out when there is none, as Ory's API does
 */
export async function openDispatches(
  rows: readonly Pick<MessageRow, 'id' | 'project_id'>[],
  { database, sealer }: DispatchPorts,
  withWords = false,
): Promise<(id: string) => { readonly dispatches?: readonly DispatchJson[] }> {
  const found =
    rows.length === 0
      ? []
      : await listDispatches(
          database,
          rows.map(({ id }) => id),
        )
  const byMessage = Map.groupBy(found, ({ message_id }) => message_id)
  const projects = new Map(rows.map(({ id, project_id }) => [id, project_id]))
  return (id) => {
    const project_id = projects.get(id) ?? ''
    const dispatches = byMessage
      .get(id)
      ?.map((row) =>
        dispatchJson(row, attemptDetails({ project_id, sealed: row.sealed, command: row.command }, sealer, withWords)),
      )
    return dispatches === undefined ? {} : { dispatches }
  }
}
