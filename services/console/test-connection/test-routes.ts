/** Tests of a project's configuration over HTTP: the connection alone, and a mail through the whole pipeline. */
import type { FastifyInstance } from 'fastify'
import { CodedError } from '#libs/errors'
import { type AcceptPorts, acceptMessages } from '../accept-messages.ts'
import type { SettingsPorts } from '../insights/project-settings.ts'
import { readFields } from '../projects/create-project.ts'
import { findProject } from '../projects/find-project.ts'
import { readNewMessages } from '../read-new-messages.ts'
import { testTarget } from './test-target.ts'

export interface TestPorts extends AcceptPorts {
  readonly settings: SettingsPorts
  readonly wakeRelay: () => void
}

type OfProject = { Params: { project: string } }

/** As that of an identity config. */
const BODY_LIMIT_BYTES = 2 * 1024 * 1024
/** Each holds a connection to a server of somebody's choice. */
const MOST_AT_ONCE = 4
const SUBJECT = 'Postrider test message'
const LIFETIME_MS = 3_600_000

export function addTestRoutes(app: FastifyInstance, ports: TestPorts): void {
  const { database, settings } = ports
  let running = 0

  app.post<OfProject>(
    '/projects/:project/test-connection',
    { config: { access: 'configure' }, bodyLimit: BODY_LIMIT_BYTES },
    async ({ params, body }) => {
      const { identity_config: given } = readFields(body ?? {}, ['identity_config'])
      const project = await findProject(database, params.project)
      if (running >= MOST_AT_ONCE)
        throw new CodedError('THROTTLED', 'Other connections are being tested: try it again in a moment.', {
          details: { retryAfterMs: 2_000 },
        })
      running += 1
      try {
        return await testTarget(project, given, settings)
      } finally {
        running -= 1
      }
    },
  )
  app.post<OfProject>(
    '/projects/:project/test-message',
    { config: { access: 'send' } },
    async ({ params, body, principal }, reply) => {
      const { recipient } = readFields(body, ['recipient'])
      const { id: project, name } = await findProject(database, params.project)
      const requested = readNewMessages(testMessage(recipient, project, name), Date.now())
      const [id] = await acceptMessages(requested, undefined, ports, principal)
      ports.wakeRelay()
      return reply.code(202).send({ id })
    },
  )
}

function testMessage(recipient: unknown, project: string, name: string) {
  return {
    recipient,
    project,
    template_type: 'stub',
    template_data: {
      subject: SUBJECT,
      body: `This mail was sent by Postrider to test how the project ${name} delivers.\n\nIt arrived, so mail goes out.\n`,
    },
    lane: 'urgent',
    expires_at: new Date(Date.now() + LIFETIME_MS).toISOString(),
  }
}
