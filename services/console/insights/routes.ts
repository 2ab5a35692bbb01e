/** What the page reads: figures, the pipeline, channels, contents, traces, templates, the mailbox, and tests of a configuration. */
import type { FastifyInstance } from 'fastify'
import type { Database } from '#libs/database'
import type { Engine } from '#libs/engine'
import type { AcceptPorts } from '../accept-messages.ts'
import { addTestRoutes } from '../test-connection/test-routes.ts'
import { showChannels } from './channels/show-channels.ts'
import { addContentRoutes } from './content/content-routes.ts'
import { addMailboxRoutes } from './mailbox/mailbox-routes.ts'
import { openOwnTemplates } from './own-templates.ts'
import { showPipeline } from './pipeline/show-pipeline.ts'
import { projectScope } from './scope.ts'
import { readChannel, readSpan, type SpanQuery } from './stats/read-span.ts'
import { showStats } from './stats/show-stats.ts'
import { addTemplateRoutes } from './templates/template-routes.ts'
import { showTrace } from './trace/show-trace.ts'

export interface InsightSettings {
  /** Base URL of the projector's health and metrics. */
  readonly projector?: string | undefined
  /** Of the trace backend, with `{trace_id}`; empty for none. */
  readonly traceUrl?: string
  /** Where the dev mailbox takes mail; undefined where there is none. */
  readonly mailboxPort?: string | undefined
  /** Of the dev mailbox's HTTP side; undefined where there is none, or the console is reached beyond this machine. */
  readonly mailboxOrigin?: string | undefined
}

export interface InsightPorts extends AcceptPorts {
  readonly wakeRelay: () => void
  readonly insights?: InsightSettings
  /** For figures alone, which take several connections for a while: nobody who sends waits for them. */
  readonly figures: Database
}

type OfProject = { Querystring: { project?: string } & SpanQuery }

/** @param paths of the messages */
export function addInsightRoutes(
  app: FastifyInstance,
  paths: readonly string[],
  engine: Engine,
  ports: InsightPorts,
): void {
  const { database, sealer, insights = {} } = ports
  const { mailboxPort, traceUrl = '' } = insights
  const settings = { database, sealer, mailboxPort }
  const templates = openOwnTemplates(engine, settings)

  addFigures(app, ports)
  for (const path of paths) {
    addContentRoutes(app, path, { database, sealer, openOwnTemplates: templates })
    const config = { access: 'read', projectScope: 'message' } as const
    app.get<{ Params: { id: string } }>(`${path}/:id/trace`, { config }, ({ params }) =>
      showTrace(params.id, database, traceUrl),
    )
  }
  addTemplateRoutes(app, { database, openOwnTemplates: templates })
  addMailboxRoutes(app, insights.mailboxOrigin)
  addTestRoutes(app, { ...ports, settings })
}

function addFigures(app: FastifyInstance, { figures: database, sealer, insights = {} }: InsightPorts): void {
  const config = { access: 'read', projectScope: 'own' } as const

  app.get<OfProject>('/admin/courier/stats', { config }, async ({ query, principal }) => {
    const asked = { span: readSpan(query, Date.now()), channel: readChannel(query) }
    return showStats({ ...asked, project: await projectScope(database, query.project, principal) }, database)
  })
  app.get<OfProject>('/admin/courier/pipeline', { config }, async ({ query, principal }) =>
    showPipeline(await projectScope(database, query.project, principal), database, insights.projector),
  )
  app.get<OfProject>('/admin/courier/channels', { config }, async ({ query, principal }) => {
    const ports = { database, sealer, mailboxPort: insights.mailboxPort }
    return showChannels(await projectScope(database, query.project, principal), ports)
  })
}
