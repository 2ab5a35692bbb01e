/** The last words of a start: wait until the console calls the whole pipeline ready, then say where everything is and what to try. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalSettings } from './local-settings.ts'

const POLL_MS = 200
const REPORT_EVERY_MS = 20_000

/** Resolves when `GET {consoleUrl}/health/ready` answers 200, or when `stopping` aborts. Says now and then what it is waiting for. */
export async function untilUsable(
  consoleUrl: string,
  stopping: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  let reportAt = Date.now() + REPORT_EVERY_MS
  while (!stopping.aborted) {
    const waitingFor = await missingPart(consoleUrl)
    if (waitingFor === undefined) return
    if (Date.now() > reportAt) {
      log(`not ready yet: ${waitingFor}`)
      reportAt = Date.now() + REPORT_EVERY_MS
    }
    await sleep(POLL_MS)
  }
}

async function missingPart(consoleUrl: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${consoleUrl}/health/ready`, { signal: AbortSignal.timeout(5_000) })
    const body = await response.text()
    return response.status === 200 ? undefined : body.slice(0, 400)
  } catch {
    return 'the console does not answer' // refused while it starts: the state that is waited out here
  }
}

/** Whether the console asks whoever sits here for a key, as it does beyond loopback. */
export async function needsKey(consoleUrl: string): Promise<boolean> {
  try {
    const { status } = await fetch(`${consoleUrl}/projects`, { signal: AbortSignal.timeout(5_000) })
    return status === 401
  } catch {
    return false // gone since it was ready: its own end is told elsewhere
  }
}

export interface Started {
  readonly elapsedMs: number
  readonly isKeyNeeded: boolean
}

/** Addresses and the lines of a first mail. */
export function welcome({ ports, embeds, home }: LocalSettings, { elapsedMs, isKeyNeeded }: Started): string {
  const identity = `http://127.0.0.1:${ports.POSTRIDER_IDENTITY_PORT}`
  const console = `http://127.0.0.1:${ports.POSTRIDER_CONSOLE_PORT}`
  const mailbox = `http://127.0.0.1:${ports.POSTRIDER_MAILBOX_HTTP_PORT}`
  const json = "-H 'content-type: application/json'"
  const lines = [
    '',
    `Postrider is ready (${(elapsedMs / 1000).toFixed(1)} s).`,
    `  Email Delivery page   ${console}/`,
    `  identity API          ${identity}`,
    ...(embeds.mailbox ? [`  dev mailbox           ${mailbox}/messages`] : []),
    `  state                 ${home}`,
    `  logs                  ${join(home, 'logs')}`,
    '',
    'Try it: register, see the mail, complete with its code, list what was sent.',
    `  curl -s -X POST ${identity}/self-service/registration ${json} -d '{"traits":{"email":"ada@example.org"}}'`,
    ...(embeds.mailbox ? [`  curl -s '${mailbox}/messages?to=ada@example.org'`] : []),
    `  curl -s -X POST ${identity}/self-service/registration/FLOW_ID ${json} -d '{"code":"CODE"}'`,
    ...(isKeyNeeded
      ? [
          'The console is shown beyond this machine, so it asks for a key:',
          '  export POSTRIDER_API_KEY=$(npx postrider keys create --name me --role admin)',
          `  curl -s -H "Authorization: Bearer $POSTRIDER_API_KEY" ${console}/admin/courier/messages`,
        ]
      : [`  curl -s ${console}/admin/courier/messages`]),
    '',
    'Ctrl-C stops everything.',
    '',
  ]
  return lines.join('\n')
}
