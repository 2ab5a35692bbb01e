/** PostgreSQL and Kafka under `up`: opened once, and again whenever they end without being asked. */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '#libs/errors'
import { createRestartDelay } from './restart-delay.ts'

/** What `openEmbedded…` gives. */
interface OpenServer extends AsyncDisposable {
  readonly pid: number
  readonly ended: Promise<string>
}

export interface KeptServer<Server extends OpenServer> extends AsyncDisposable {
  /** The one open now, or the last one while the next is starting. */
  readonly current: Server
}

/** Opens the server; from then on, until disposed, a death is logged and followed by another `open`. @throws what the first `open` throws */
export async function keepServer<Server extends OpenServer>(
  name: string,
  open: () => Promise<Server>,
  options: { log: (line: string) => void; onChange: () => void },
): Promise<KeptServer<Server>> {
  const stop = new AbortController()
  let current = await open()

  const watch = async (): Promise<void> => {
    const delay = createRestartDelay()
    for (let openedAt = Date.now(); ; openedAt = Date.now()) {
      const reason = await current.ended
      if (stop.signal.aborted) return
      options.log(`${name} ended (${reason}), starting it again`)
      current = await reopen(name, open, {
        livedMs: Date.now() - openedAt,
        delay,
        log: options.log,
        signal: stop.signal,
      })
      if (stop.signal.aborted) return current[Symbol.asyncDispose]()
      options.onChange()
    }
  }
  const watching = watch().catch((error: unknown) => {
    if (!stop.signal.aborted) options.log(`${name}: ${messageOf(error)}`)
  })

  return {
    get current() {
      return current
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await current[Symbol.asyncDispose]()
      await watching
    },
  }
}

async function reopen<Server extends OpenServer>(
  name: string,
  open: () => Promise<Server>,
  options: { livedMs: number; delay: { next(ms: number): number }; log: (line: string) => void; signal: AbortSignal },
): Promise<Server> {
  for (let livedMs = options.livedMs; ; livedMs = 0) {
    await sleep(options.delay.next(livedMs), undefined, { signal: options.signal })
    try {
      return await open()
    } catch (error) {
      options.log(`${name}: ${messageOf(error)}`)
    }
  }
}
