/** The dev mailbox's HTTP side: `GET|DELETE /messages[/{id}]`, `GET /health/alive`. */
import { createServer, type Server, STATUS_CODES } from 'node:http'
import { type MailboxStore, viewMail } from './mailbox-store.ts'

const DEFAULT_LIMIT = 50

interface Answer {
  readonly code: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** The server, not yet listening. */
export function createMailboxApi(store: MailboxStore): Server {
  return createServer((request, response) => {
    answer(store, request.method ?? 'GET', new URL(request.url ?? '/', 'http://mailbox'))
      .catch((error: unknown) => failed(500, error instanceof Error ? error.message : String(error)))
      .then(({ code, body, headers }) => {
        response.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
        response.end(body === undefined ? undefined : JSON.stringify(body))
      })
  })
}

async function answer(store: MailboxStore, method: string, url: URL): Promise<Answer> {
  const [, collection, id, ...rest] = url.pathname.split('/')
  if (method === 'GET' && url.pathname === '/health/alive') return { code: 200, body: { status: 'ok' } }
  if (collection !== 'messages' || rest.length > 0) return failed(404, `no resource at ${url.pathname}`)
  if (method !== 'GET' && method !== 'DELETE')
    return { ...failed(405, `${method} is not allowed here`), headers: { allow: 'GET, DELETE' } }
  return id === undefined || id === '' ? collectionAnswer(store, method, url) : mailAnswer(store, method, id)
}

async function collectionAnswer(store: MailboxStore, method: 'GET' | 'DELETE', url: URL): Promise<Answer> {
  if (method === 'DELETE') {
    store.clear()
    return { code: 204 }
  }
  const limit = Number(url.searchParams.get('limit') ?? DEFAULT_LIMIT)
  if (!Number.isInteger(limit) || limit < 1) return failed(400, 'limit: a whole number of 1 or more is allowed')
  const to = url.searchParams.get('to') ?? undefined
  const mails = store.list({ limit, ...(to === undefined ? {} : { to }) })
  const headers = { 'x-total-count': String(store.count(to)) }
  return { code: 200, body: await Promise.all(mails.map(viewMail)), headers }
}

async function mailAnswer(store: MailboxStore, method: 'GET' | 'DELETE', id: string): Promise<Answer> {
  if (method === 'DELETE') return store.remove(id) ? { code: 204 } : failed(404, `no message ${id}`)
  const mail = store.get(id)
  return mail === undefined ? failed(404, `no message ${id}`) : { code: 200, body: await viewMail(mail) }
}

function failed(code: number, message: string): Answer {
  return { code, body: { error: { code, status: STATUS_CODES[code] ?? '', message } } }
}
