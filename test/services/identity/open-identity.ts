/** The identity API on a database of its own, asked by HTTP; its mails are read from the outbox, where the relay would take them. */
import { trace } from '@opentelemetry/api'
import pino from 'pino'
import { type Database, openDatabase } from '#libs/database'
import { buildHttpServer } from '#libs/http-server'
import { decodeMessage, type MessageRecord, openSealer, type SealedContent } from '#libs/messages'
import { openOutbox } from '#libs/outbox'
import type { Telemetry } from '#libs/telemetry'
import { type Codes, openAddressHash, openCodes } from '../../../services/identity/code.ts'
import type { FlowKind } from '../../../services/identity/identity-repository.ts'
import { addIdentityRoutes } from '../../../services/identity/routes.ts'
import { openThrottle } from '../../../services/identity/throttle.ts'
import { testDatabase } from '../../support/servers.ts'

const SECRETS = ['a secret of the identity tests']
const MINUTE = 60_000

export interface SentMail {
  readonly record: MessageRecord
  readonly recipient: string
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
  readonly code: string
  readonly mail: SentMail
}

export interface TestIdentity extends AsyncDisposable {
  readonly publicUrl: string
  readonly database: Database
  readonly codes: Codes
  readonly request: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
  /** Starts a flow that is expected to send a mail, and reads the code in it. */
  readonly start: (kind: FlowKind, address: string, name?: string) => Promise<StartedFlow>
  readonly complete: (kind: FlowKind, flowId: string, code: string) => Promise<Answer>
  /** Registers an address to its end. @returns the identity */
  readonly registered: (address: string) => Promise<Answer['body']>
  /** Every mail in the outbox, oldest first. */
  readonly mails: () => Promise<SentMail[]>
  /** Texts of the statements that run inside transactions while `act` does. */
  readonly statementsOf: (act: () => Promise<unknown>) => Promise<string[]>
}

export async function openIdentity(): Promise<TestIdentity> {
  const stack = new AsyncDisposableStack()
  const { url } = stack.use(await testDatabase())
  const database = stack.use(openDatabase({ url, applicationName: 'identity-test', max: 10 }))
  const recorded: string[] = []
  const codes = openCodes(SECRETS)
  const sealer = openSealer(SECRETS)
  const publicUrl = 'http://identity.example'
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
      settings: {
        publicUrl,
        codeLifespanMs: 60 * MINUTE,
        sessionLifespanMs: 24 * 60 * MINUTE,
        mailLimit: { mails: 5, windowMs: 10 * MINUTE },
        messagesTopic: 'courier.messages.v1',
      },
    },
    openThrottle({ requests: 10_000, windowMs: MINUTE }),
  )
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  stack.defer(async () => app.close())

  const request: TestIdentity['request'] = async (method, path, body, headers = {}) => {
    const response = await fetch(base + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: await response.json(), headers: response.headers }
  }
  const mails = async (): Promise<SentMail[]> => {
    const { rows } = await database.query<{ value: string }>({ text: 'select value from outbox.message order by seq' })
    return rows.map(({ value }) => {
      const record = decodeMessage(value)
      const { recipient, template_data: data } = sealer.open(record.project_id, record.sealed) as SealedContent
      return { record, recipient, data }
    })
  }
  const start: TestIdentity['start'] = async (kind, address, name) => {
    // Throttling has tests of its own; here it must not end a story early.
    await database.query({ text: 'delete from identity.throttle' })
    const before = (await mails()).length
    const asked =
      kind === 'login' ? { identifier: address } : { traits: { email: address, ...(name !== undefined && { name }) } }
    const { status, body } = await request('POST', `/self-service/${kind}`, asked)
    const mail = (await mails())[before]
    if (mail === undefined) throw new Error(`no mail was sent; the answer was ${status} ${JSON.stringify(body)}`)
    return { flowId: body.flow_id, code: String(mail.data.registration_code ?? mail.data.login_code), mail }
  }
  const complete: TestIdentity['complete'] = (kind, flowId, code) =>
    request('POST', `/self-service/${kind}/${flowId}`, { code })

  return {
    publicUrl,
    database,
    codes,
    request,
    start,
    complete,
    mails,
    registered: async (address) => {
      const { flowId, code } = await start('registration', address)
      return (await complete('registration', flowId, code)).body
    },
    statementsOf: async (act) => {
      recorded.length = 0
      await act()
      return [...recorded]
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
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
