/** Documents for the frame that shows them a moment later: few, for minutes, and only for whoever made them. */
import { randomUUID } from 'node:crypto'

export interface KeptDocuments {
  /** @param owner id of the key. @returns the id under which it is found */
  readonly keep: (owner: string, html: string) => string
  readonly find: (owner: string, id: string) => string | undefined
}

const MOST = 50
const LIFETIME_MS = 600_000

export function keepDocuments(now: () => number = Date.now): KeptDocuments {
  const documents = new Map<string, { readonly owner: string; readonly html: string; readonly untilMs: number }>()
  return {
    keep: (owner, html) => {
      const id = randomUUID()
      documents.set(id, { owner, html, untilMs: now() + LIFETIME_MS })
      for (const [oldest] of documents) if (documents.size > MOST) documents.delete(oldest)
      return id
    },
    find: (owner, id) => {
      const found = documents.get(id)
      return found !== undefined && found.owner === owner && found.untilMs > now() ? found.html : undefined
    },
  }
}
