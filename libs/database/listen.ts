/** LISTEN on a connection of its own that comes back after any loss. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5_000
/** A peer that vanished without a FIN is noticed by the statement, not by silence. */
const PING_MS = 30_000

/** Resolves when the first connection listens; rejects when that one fails. */
export async function listenTo(
  connect: () => Promise<pg.Client>,
  channel: string,
  onNotify: (payload: string) => void,
  onError: (error: Error) => void,
): Promise<AsyncDisposable> {
  const closing = new AbortController()

  async function open(): Promise<pg.Client> {
    const client = await connect()
    client.on('notification', (message) => onNotify(message.payload ?? ''))
    await client.query(`listen ${pg.escapeIdentifier(channel)}`)
    return client
  }

  /** Ends when the connection does. */
  async function watch(client: pg.Client): Promise<void> {
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    const ping = setInterval(() => client.query('select 1').catch(onError), PING_MS)
    ping.unref()
    onNotify('')
    await Promise.race([ended, aborted(closing.signal)])
    clearInterval(ping)
    await client.end().catch(onError)
  }

  async function keepListening(first: pg.Client): Promise<void> {
    for (let client: pg.Client | undefined = first, retryMs = FIRST_RETRY_MS; !closing.signal.aborted; ) {
      if (client !== undefined) {
        retryMs = FIRST_RETRY_MS
        await watch(client)
      }
      if (closing.signal.aborted) return
      await Promise.race([sleep(retryMs, undefined, { ref: false }), aborted(closing.signal)])
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2)
      client = await open().catch((error: Error) => {
        onError(error)
        return undefined
      })
    }
  }

  const running = keepListening(await open())
  return {
    [Symbol.asyncDispose]: () => {
      closing.abort()
      return running
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
