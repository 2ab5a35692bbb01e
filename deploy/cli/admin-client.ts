/** The console's admin API as the command line sees it. */
import { userInfo } from 'node:os'
import { CodedError, messageOf } from '#libs/errors'
import { readRunFile } from '../local/run-file.ts'

export interface Answer {
  readonly body: unknown
  /** Path of the next page. */
  readonly next: string | undefined
}

/** All throw with the API's own words when it answers 400 or more (NOT_FOUND for 404), or with the address that did not answer. */
export interface AdminClient {
  /** Where it is, with a slash at its end. */
  readonly base: string
  readonly get: (path: string) => Promise<Answer>
  /** Writes, in the name of the user of this machine. */
  readonly send: (method: 'POST' | 'PUT' | 'PATCH', path: string, content: unknown) => Promise<Answer>
  /** Server-sent events, until `stopping`. @param lastEventId where a reconnect goes on */
  readonly stream: (
    path: string,
    lastEventId: string | undefined,
    stopping: AbortSignal,
  ) => Promise<ReadableStream<Uint8Array>>
}

const READ_MS = 10_000
/** A new configuration is tried out before it is accepted: its templates may come from other servers. */
const WRITE_MS = 60_000
const DEFAULT_PORT = '4434'
const LONGEST_AUTHOR = 64

/** Target: POSTRIDER_URL, else the console of this home, else the default port of this machine. */
export async function openAdminClient(env: NodeJS.ProcessEnv): Promise<AdminClient> {
  const base = (env.POSTRIDER_URL || (await runningConsole(env)) || defaultUrl(env)).replace(/\/*$/, '/')
  const headers = { accept: 'application/json', ...authorization(env) }
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const url = new URL(path.replace(/^\//, ''), base)
    const response = await request(url, init)
    const body = await bodyOf(response, url)
    if (!response.ok) throw refusal(body, response.status, env)
    return { body, next: /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1] }
  }
  return {
    base,
    get: (path) => ask(path, { headers, signal: AbortSignal.timeout(READ_MS) }),
    send: (method, path, content) =>
      ask(path, {
        method,
        headers: { ...headers, 'content-type': 'application/json', 'x-postrider-author': author(env) },
        body: JSON.stringify(content),
        signal: AbortSignal.timeout(WRITE_MS),
      }),
    stream: async (path, lastEventId, stopping) => {
      const url = new URL(path, base)
      const last = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
      const init = { headers: { ...headers, ...last, accept: 'text/event-stream' }, signal: stopping }
      const response = await request(url, init)
      if (response.ok && response.body !== null) return response.body
      throw refusal(await bodyOf(response, url), response.status, env)
    },
  }
}

/** Of a refusal; undefined where nothing answered. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined
}

function defaultUrl(env: NodeJS.ProcessEnv): string {
  return `http://127.0.0.1:${env.POSTRIDER_CONSOLE_PORT || DEFAULT_PORT}`
}

/** The two of Ory are taken where our own is not set, so that scripts for its command line run on. */
const KEY_NAMES = ['POSTRIDER_API_KEY', 'ORY_PROJECT_API_KEY', 'ORY_WORKSPACE_API_KEY'] as const

function keyName(env: NodeJS.ProcessEnv): string | undefined {
  return KEY_NAMES.find((name) => env[name])
}

function authorization(env: NodeJS.ProcessEnv): Record<string, string> {
  const name = keyName(env)
  return name === undefined ? {} : { authorization: `Bearer ${env[name]}` }
}

/** In UTF-8, since a header takes only bytes. */
function author(env: NodeJS.ProcessEnv): string {
  const name = userName(env).replace(/\p{C}/gu, '?').slice(0, LONGEST_AUTHOR)
  return Buffer.from(name, 'utf8').toString('latin1')
}

function userName(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username
  } catch {
    return env.USER || 'unknown' // in a container whose user has no entry in /etc/passwd
  }
}

async function request(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
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

function refusal(body: unknown, status: number, env: NodeJS.ProcessEnv): Error {
  const { error } = body as { error?: { message?: string; reason?: string } }
  const given = [error?.message, error?.reason].filter((part) => part !== undefined && part !== '')
  const words = given.length === 0 ? `the console answered ${status}` : given.join(': ')
  if (status === 404) return Object.assign(new CodedError('NOT_FOUND', words), { status })
  return Object.assign(new Error(status === 401 ? notLetIn(words, env) : words), { status })
}

function notLetIn(words: string, env: NodeJS.ProcessEnv): string {
  const name = keyName(env)
  if (name === undefined) return `${words}: set POSTRIDER_API_KEY to a key of this console`
  return `the key in ${name} is not known here, has expired or was revoked`
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
