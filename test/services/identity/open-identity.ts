/** The identity API on a database of its own, asked by HTTP; its mails are read from the outbox, where the relay would take them. */
import { trace } from '@opentelemetry/api'
import pino from 'pino'
import { type Database, openDatabase } from '#libs/database'
import { buildHttpServer } from '#libs/http-server'
import { decodeMessage, type MessageRecord, openSealer, type SealedContent, topics } from '#libs/messages'
import { openOutbox } from '#libs/outbox'
import type { Telemetry } from '#libs/telemetry'
import { type Codes, openAddressHash, openCodes } from '../../../services/identity/code.ts'
import type { FlowKind } from '../../../services/identity/flow-repository.ts'
import type { IdentitySettings } from '../../../services/identity/ports.ts'
import { addIdentityRoutes } from '../../../services/identity/routes.ts'
import { openThrottle } from '../../../services/identity/throttle.ts'
import { testDatabase } from '../../support/servers.ts'

const SECRETS = ['a secret of the identity tests']
const MINUTE = 60_000

export interface SentMail {
  readonly record: MessageRecord
  readonly recipient: string
  readonly requestHeaders: SealedContent['request_headers']
  readonly data: Readonly<Record<string, unknown>>
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a user's script would
  readonly body: any
  readonly headers: Headers
}

export interface StartedFlow {
  readonly flowId: string
  /** 'undefined' where the mail has a link in its place. */
  readonly code: string
  readonly mail: SentMail
}

export interface TestIdentity extends AsyncDisposable {
  readonly publicUrl: string
  readonly database: Database
  readonly codes: Codes
  readonly request: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
  /** Posts what is no JSON. */
  readonly submit: (path: string, body: string, headers: Record<string, string>) => Promise<Answer>
  /** What it was opened with; may be changed between requests. */
  readonly settings: { -readonly [Key in keyof IdentitySettings]: IdentitySettings[Key] }
  /** Starts a flow that is expected to send a mail, and reads the code in it. */
  readonly start: (kind: FlowKind, address: string, name?: string) => Promise<StartedFlow>
  /** Starts one that is expected to send a mail or text message, by this body and these headers. */
  readonly startWith: (
    kind: FlowKind,
    body: Readonly<Record<string, unknown>>,
    headers?: Record<string, string>,
  ) => Promise<StartedFlow>
  readonly complete: (kind: FlowKind, flowId: string, code: string) => Promise<Answer>
  /** Registers an address to its end. @returns the identity */
  readonly registered: (address: string) => Promise<Answer['body']>
  /** Registers an address and logs it in. */
  readonly loggedIn: (address: string) => Promise<{ readonly identity: Answer['body']; readonly token: string }>
  /** Every mail in the outbox, oldest first. */
  readonly mails: () => Promise<SentMail[]>
  /** Texts of the statements that run inside transactions while `act` does. */
  readonly statementsOf: (act: () => Promise<unknown>) => Promise<string[]>
}

/** @param requests of one client within a minute */
export async function openIdentity({ requests = 10_000 }: { requests?: number } = {}): Promise<TestIdentity> {
  const stack = new AsyncDisposableStack()
  const { url } = stack.use(await testDatabase())
  const database = stack.use(openDatabase({ url, applicationName: 'identity-test', max: 10 }))
  const recorded: string[] = []
  const codes = openCodes(SECRETS)
  const sealer = openSealer(SECRETS)
  const publicUrl = 'http://identity.example'
  const settings: TestIdentity['settings'] = {
    publicUrl,
    codeLifespanMs: 60 * MINUTE,
    linkLifespanMs: 60 * MINUTE,
    linkBaseUrl: publicUrl,
    notifyUnknown: { recovery: false, verification: false },
    headerAllowlist: ['User-Agent', 'Accept-Language'],
    sessionLifespanMs: 24 * 60 * MINUTE,
    mailLimit: { mails: 5, windowMs: 10 * MINUTE },
    topics: topics(''),
  }
  const app = buildHttpServer({ telemetry: silentTelemetry(), trustCallers: false })
  addIdentityRoutes(
    app,
    {
      database: recording(database, recorded),
      outbox: openOutbox(sealer),
      wakeRelay: () => undefined,
      tracer: trace.getTracer('test'),
      codes,
      addressHash: openAddressHash(SECRETS),
      settings,
    },
    openThrottle({ requests, windowMs: MINUTE }),
  )
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  stack.defer(async () => app.close())

  const request: TestIdentity['request'] = async (method, path, body, headers = {}) => {
    const response = await fetch(base + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return answerOf(response)
  }
  const submit: TestIdentity['submit'] = async (path, body, headers) =>
    answerOf(await fetch(base + path, { method: 'POST', body, headers }))
  const mails = async (): Promise<SentMail[]> => {
    const { rows } = await database.query<{ value: string }>({ text: 'select value from outbox.message order by seq' })
    return rows.map(({ value }) => {
      const record = decodeMessage(value)
      const content = sealer.open(record.project_id, record.sealed) as SealedContent
      const { recipient, template_data: data, request_headers: requestHeaders } = content
      return { record, recipient, data, requestHeaders }
    })
  }
  const startWith: TestIdentity['startWith'] = async (kind, asked, headers) => {
    // Throttling has tests of its own; here it must not end a story early.
    await database.query({ text: 'delete from identity.throttle' })
    const before = (await mails()).length
    const { status, body } = await request('POST', `/self-service/${kind}`, asked, headers)
    const mail = (await mails())[before]
    if (mail === undefined) throw new Error(`no mail was sent; the answer was ${status} ${JSON.stringify(body)}`)
    const { registration_code, login_code, recovery_code, verification_code } = mail.data
    const code = String(registration_code ?? login_code ?? recovery_code ?? verification_code)
    return { flowId: body.flow_id, code, mail }
  }
  const start: TestIdentity['start'] = (kind, address, name) =>
    startWith(
      kind,
      kind === 'registration'
        ? { traits: { email: address, ...(name !== undefined && { name }) } }
        : { [kind === 'login' ? 'identifier' : 'email']: address },
    )
  const complete: TestIdentity['complete'] = (kind, flowId, code) =>
    request('POST', `/self-service/${kind}/${flowId}`, { code })

  const registered: TestIdentity['registered'] = async (address) => {
    const { flowId, code } = await start('registration', address)
    return (await complete('registration', flowId, code)).body
  }

  return {
    publicUrl,
    database,
    codes,
    settings,
    request,
    submit,
    start,
    startWith,
    complete,
    mails,
    registered,
    loggedIn: async (address) => {
      const identity = await registered(address)
      const { flowId, code } = await start('login', address)
      return { identity, token: (await complete('login', flowId, code)).body.session_token }
    },
    statementsOf: async (act) => {
      recorded.length = 0
      await act()
      return [...recorded]
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = text !== '' && response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers }
}

/** The same database, noting the text of each statement. */
function recording(database: Database, texts: string[]): Database {
  return {
    ...database,
    transaction: (fn) =>
      database.transaction((tx) =>
        fn({
          query: (statement) => {
            texts.push(statement.text)
            return tx.query(statement)
          },
        }),
      ),
    query: (statement) => {
      texts.push(statement.text)
      return database.query(statement)
    },
    get knex() {
      return database.knex
    },
  }
}

function silentTelemetry(): Pick<Telemetry, 'log' | 'tracer' | 'handleMetrics'> {
  return {
    log: pino({ level: 'silent' }),
    tracer: trace.getTracer('test'),
    handleMetrics: (_request, response) => response.end(),
  }
}
