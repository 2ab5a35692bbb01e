/** `messages tail`: one line per change, until interrupted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { messageOf } from '#libs/errors'
import { type AdminClient, statusOf } from './admin-client.ts'
import { type ListedMessage, MESSAGES } from './message-json.ts'
import type { Format } from './print.ts'
import { readEvents } from './read-events.ts'

export interface TailOptions {
  readonly filter: Readonly<Record<string, string>>
  readonly format: Format
  readonly client: AdminClient
  /** Ends it, without an error. */
  readonly stopping: AbortSignal
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
const REMEMBERED = 10_000
const WIDTHS = { state: 10, recipient: 32, template: 26 }

/** Goes on where it was when the connection breaks. @throws when the first connection fails, or the console refuses */
export async function tailMessages({ filter, format, client, stopping }: TailOptions): Promise<void> {
  const path = `${MESSAGES}/stream?${new URLSearchParams(filter)}`
  const show = onlyNew((message) => process.stdout.write(lineOf(message, format)))
  let lastId: string | undefined
  for (let failures = 0; !stopping.aborted; ) {
    try {
      const body = await client.stream(path, lastId, stopping)
      if (failures > 0) console.error('connected again')
      for await (const { id, event, data } of readEvents(body)) {
        failures = 0
        lastId = id
        if (event === 'message' && data !== '') show(JSON.parse(data))
        else if (event === 'gap') console.error(`some changes may be missing above: ${reasonIn(data)}`)
      }
    } catch (error) {
      if (stopping.aborted) return
      if (lastId === undefined || isRefused(error)) throw error
      if (failures === 0) console.error(`connection lost (${messageOf(error)}): trying again`)
      failures++
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)
    await sleep(pauseMs, undefined, { signal: stopping }).catch(() => undefined)
  }
}

/** What no reconnect will change; too many clients, or a console that stops, is not of that kind. */
function isRefused(error: unknown): boolean {
  const status = statusOf(error)
  return status !== undefined && status >= 400 && status < 500 && status !== 429
}

/** A reconnect may repeat what was shown. */
function onlyNew(show: (message: ListedMessage) => void): (message: ListedMessage) => void {
  const seen = new Map<string, string>()
  return (message) => {
    const version = `${message.updated_at} ${message.state} ${message.send_count}`
    if (seen.get(message.id) === version) return
    seen.delete(message.id)
    seen.set(message.id, version)
    const [oldest] = seen.keys()
    if (seen.size > REMEMBERED && oldest !== undefined) seen.delete(oldest)
    show(message)
  }
}

function lineOf(message: ListedMessage, format: Format): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(message)}\n`
    case 'yaml':
      return `---\n${stringify(message)}`
    case 'table':
      return `${tableLine(message)}\n`
  }
}

function tableLine(message: ListedMessage): string {
  const { id, state, recipient, template_type: template, send_count: attempts, last_error: error } = message
  const at = (message.updated_at ?? message.created_at).slice(11, 23)
  const cells = [
    at,
    state.padEnd(WIDTHS.state),
    id,
    recipient.padEnd(WIDTHS.recipient),
    template.padEnd(WIDTHS.template),
    String(attempts).padStart(2),
    error ?? '',
  ]
  return cells
    .join('  ')
    .replace(/\p{Cc}/gu, ' ')
    .trimEnd()
}

function reasonIn(data: string): string {
  return data === '' ? 'the stream had a gap' : (JSON.parse(data) as { reason: string }).reason
}
