/** The console's admin API as the command line sees it. */
import { messageOf } from '#libs/errors'
import { readRunFile } from '../local/run-file.ts'

export interface Answer {
  readonly body: unknown
  /** Path of the next page. */
  readonly next: string | undefined
}

export interface AdminClient {
  /** @throws with the API's own words when it answers 400 or more, or with the address that did not answer */
  readonly get: (path: string) => Promise<Answer>
}

const TIMEOUT_MS = 10_000
const DEFAULT_PORT = '4434'

/** Target: POSTRIDER_URL, else the console of this home, else the default port of this machine. */
export async function openAdminClient(env: NodeJS.ProcessEnv): Promise<AdminClient> {
  const base = (env.POSTRIDER_URL || (await runningConsole(env)) || defaultUrl(env)).replace(/\/*$/, '/')
  const headers = { accept: 'application/json', ...authorization(env) }
  return {
    get: async (path) => {
      const url = new URL(path.replace(/^\//, ''), base)
      const response = await request(url, headers)
      const body = await bodyOf(response, url)
      if (!response.ok) throw new Error(wordsOf(body, response.status))
      return { body, next: /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1] }
    },
  }
}

function defaultUrl(env: NodeJS.ProcessEnv): string {
  return `http://127.0.0.1:${env.POSTRIDER_CONSOLE_PORT || DEFAULT_PORT}`
}

function authorization({ POSTRIDER_API_KEY: key }: NodeJS.ProcessEnv): Record<string, string> {
  return key ? { authorization: `Bearer ${key}` } : {}
}

async function request(url: URL, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
    throw new Error(`no answer from ${url.origin} (${cause}): start it with postrider up, or set POSTRIDER_URL`)
  }
}

async function bodyOf(response: Response, url: URL): Promise<unknown> {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`${url.origin} answered ${response.status} and no JSON: is it Postrider's console?`, { cause })
  }
}

function wordsOf(body: unknown, status: number): string {
  const { error } = body as { error?: { message?: string; reason?: string } }
  const words = [error?.message, error?.reason].filter((part) => part !== undefined && part !== '')
  return words.length === 0 ? `the console answered ${status}` : words.join(': ')
}

/** The console that run.json of POSTRIDER_HOME tells of, while its `up` runs. */
async function runningConsole(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const run = await readRunFile(env.POSTRIDER_HOME || '.postrider')
  return run !== undefined && isAlive(run.pid) ? run.urls.console : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
