/** Server-sent events on one response, with a bound on how long its client may not read. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ServerEvent {
  /** Where a reconnect goes on. */
  readonly id?: string
  /** @default message, as every client names it */
  readonly event?: string
  readonly data?: unknown
  /** Shown to nobody; keeps proxies from hanging up. */
  readonly comment?: string
}

/** The client reads too slowly: what is written piles up. */
export class SlowClient extends Error {
  override readonly name = 'SlowClient'
}

export interface EventWriter {
  /** Resolves when there is room for more. @throws SlowClient when there is none in time */
  readonly write: (events: readonly ServerEvent[]) => Promise<void>
  /** Says why, and ends the response; a client that does not read it is dropped. */
  readonly end: (event: ServerEvent) => Promise<void>
}

const LAST_WORD_MS = 1_000
const DROP_MS = 30_000

/** @param gone aborts when the client is away */
export function openEventWriter(response: ServerResponse, slowMs: number, gone: AbortSignal): EventWriter {
  return {
    write: async (events) => {
      if (gone.aborted || events.length === 0) return
      if (response.write(events.map(textOf).join(''))) return
      const drained = once(response, 'drain', { signal: gone }).then(
        () => true,
        () => true, // gone: nobody waits
      )
      if (!(await Promise.race([drained, sleep(slowMs, false, { ref: false })]))) throw new SlowClient()
    },
    end: async (event) => {
      if (gone.aborted) return
      response.end(textOf(event))
      const drop = setTimeout(() => response.destroy(), DROP_MS).unref()
      const closed = once(response, 'close').finally(() => clearTimeout(drop))
      await Promise.race([closed, sleep(LAST_WORD_MS, undefined, { ref: false })])
    },
  }
}

function textOf({ id, event, data, comment }: ServerEvent): string {
  const lines = [
    comment === undefined ? '' : `: ${comment}\n`,
    id === undefined ? '' : `id: ${id}\n`,
    event === undefined ? '' : `event: ${event}\n`,
    data === undefined ? '' : `data: ${JSON.stringify(data)}\n`,
  ]
  return `${lines.join('')}\n`
}
