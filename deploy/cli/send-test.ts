/** One mail through the whole pipeline, told as it goes on standard error. */
import { setTimeout as sleep } from 'node:timers/promises'
import { sampleData } from '#libs/templates'
import { type AdminClient, openAdminClient } from './admin-client.ts'
import { type Attempt, MESSAGES, messagePath, type ShownMessage } from './message-json.ts'

export interface SendTestOptions {
  readonly address: string
  readonly project?: string
  readonly template: string
  readonly locale?: string
  /** Whether to follow it. */
  readonly wait: boolean
  readonly timeoutMs: number
  readonly env: NodeJS.ProcessEnv
}

export interface Tested {
  /** What is printed of it. */
  readonly message: Readonly<Record<string, unknown>>
  /** Sent; accepted, where it is not followed. */
  readonly isGood: boolean
}

type Followed = ShownMessage & { readonly trace_id: string | null; readonly provider_message_id: string | null }

const POLL_MS = 250
const OPEN: ReadonlySet<string> = new Set(['queued', 'deferred', 'held'])
const GOOD: ReadonlySet<string> = new Set(['sent', 'delivered'])

export async function sendTest(options: SendTestOptions): Promise<Tested> {
  const client = await openAdminClient(options.env)
  const log = timedLog()
  const { body } = await client.send('POST', MESSAGES, requestOf(options))
  const { id } = body as { id: string }
  log(`accepted as ${id}`)
  if (!options.wait) return { message: { id, state: 'queued' }, isGood: true }
  const message = await follow(id, options.timeoutMs, client, log)
  const { state, last_error, trace_id, provider_message_id } = message
  const isOver = !OPEN.has(state)
  if (!isOver) log(`still ${state}: postrider messages show ${id} tells more`)
  return { message: { id, state, last_error, provider_message_id, trace_id }, isGood: GOOD.has(state) }
}

function requestOf({ address, project, template, locale, env }: SendTestOptions) {
  const named = project ?? (env.ORY_PROJECT || undefined)
  return {
    recipient: address,
    template_type: template,
    template_data: dataOf(template, address),
    ...(named !== undefined && { project: named }),
    ...(locale !== undefined && { locale }),
  }
}

function dataOf(template: string, address: string): Record<string, unknown> {
  if (template !== 'stub') return { ...sampleData(template), to: address }
  return {
    subject: 'A test mail from Postrider',
    body: `This mail came the way of every mail: outbox, Kafka, courier.\nSent ${new Date().toISOString()} by postrider send-test.\n`,
  }
}

/** @returns the message as it was last seen */
async function follow(
  id: string,
  timeoutMs: number,
  client: AdminClient,
  log: (line: string) => void,
): Promise<Followed> {
  let told = 0
  let blockage: string | undefined
  for (const deadline = Date.now() + timeoutMs; ; await sleep(POLL_MS)) {
    const message = (await client.get(messagePath(id))).body as Followed
    const attempts = (message.dispatches ?? []).toSorted((a, b) => a.attempt - b.attempt)
    for (const attempt of attempts.slice(told)) log(attemptText(attempt))
    told = Math.max(told, attempts.length)
    if (message.blocked_by != null && message.blocked_by.message !== blockage) {
      blockage = message.blocked_by.message
      log(`waits: ${blockage}`)
    }
    if (!OPEN.has(message.state)) {
      log(message.last_error === null ? message.state : `${message.state}: ${message.last_error}`)
      return message
    }
    if (Date.now() > deadline) return message
  }
}

function attemptText({ attempt, state, error, duration_ms: ms, provider, next_attempt_at: next }: Attempt): string {
  const took = ms === null ? '' : ` in ${ms} ms`
  const by = provider == null ? '' : ` by ${provider}`
  const why = error === null ? '' : `: ${error.message}`
  const then = next == null ? '' : `; next attempt at ${next}`
  return `attempt ${attempt}${by}${took}: ${state ?? ''}${why}${then}`.replace(/\p{Cc}/gu, ' ')
}

/** Lines on standard error with the seconds since the start. */
function timedLog(): (line: string) => void {
  const startedMs = performance.now()
  return (line) => console.error(`[${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(5)} s] ${line}`)
}
