import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import { type TakePorts, takeRows } from './take-rows.ts'

export interface Taking {
  /** Resolves when told to stop and the pass under way has ended. Never rejects. */
  readonly ended: Promise<void>
  readonly isDatabaseUp: () => boolean
  readonly isKafkaUp: () => boolean
}

const BATCH = 500
/** Kratos tells nobody of a new row: it is looked for. */
const IDLE_MS = 100
/** Several relays do not ask in step. */
const JITTER = 0.4
const FIRST_BACKOFF_MS = 200
const LAST_BACKOFF_MS = 5_000

/** Passes one after the other: at once after a full one, slower while the database or Kafka is away. */
export function takeContinually(ports: TakePorts, stopping: AbortSignal): Taking {
  let isDatabaseUp = false
  let isKafkaUp = true

  async function pass(): Promise<'more' | 'idle' | 'failed'> {
    try {
      const { found, published } = await takeRows(ports, BATCH)
      isDatabaseUp = true
      isKafkaUp = published > 0 || found === 0
      if (published < found) return 'failed'
      return found === BATCH ? 'more' : 'idle'
    } catch (error) {
      isDatabaseUp = false
      ports.log.warn({ reason: messageOf(error) }, 'rows not taken, trying again')
      return 'failed'
    }
  }

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.aborted; ) {
      const outcome = await pass()
      failures = outcome === 'failed' ? failures + 1 : 0
      if (outcome === 'more') continue
      const ms = failures === 0 ? IDLE_MS : Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1))
      await sleep(ms * (1 - JITTER / 2 + JITTER * Math.random()), stopping)
    }
  }

  return { ended: run(), isDatabaseUp: () => isDatabaseUp, isKafkaUp: () => isKafkaUp }
}
