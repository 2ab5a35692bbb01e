/** Templates over HTTP: the list, and previews of them. */
import type { FastifyInstance } from 'fastify'
import type { Database } from '#libs/database'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { findProject } from '../../projects/find-project.ts'
import { notFound } from '../../show-message.ts'
import { sendDocument } from '../content/content-routes.ts'
import type { OpenOwnTemplates } from '../own-templates.ts'
import { projectScope } from '../scope.ts'
import { keepDocuments } from './kept-documents.ts'
import { listTemplates } from './list-templates.ts'
import { previewTemplate, readPreview } from './preview-template.ts'

export interface TemplatePorts {
  readonly database: Database
  readonly openOwnTemplates: OpenOwnTemplates
}

type OfProject = { Params: { project: string } }

const PREVIEW = '/projects/:project/templates/preview'
/** Data of a mail are small. */
const BODY_LIMIT_BYTES = 256 * 1024
const READ = { access: 'read' } as const

export function addTemplateRoutes(app: FastifyInstance, ports: TemplatePorts): void {
  const { database, openOwnTemplates } = ports
  const documents = keepDocuments()

  app.get<{ Querystring: { project?: string } }>(
    '/admin/courier/templates',
    { config: { ...READ, projectScope: 'own' } },
    async ({ query, principal }) => {
      const project = (await projectScope(database, query.project, principal)) ?? DEFAULT_PROJECT_ID
      return listTemplates(await openOwnTemplates(project))
    },
  )
  // It shows what readers may see, and costs time: nothing for somebody who may only look.
  const config = { access: 'operate' } as const
  app.post<OfProject>(PREVIEW, { config, bodyLimit: BODY_LIMIT_BYTES }, async ({ params, body, principal }) => {
    const { id, slug } = await findProject(database, params.project)
    const { html, ...rest } = await previewTemplate(readPreview(body), await openOwnTemplates(id))
    const kept = html === undefined ? undefined : documents.keep(principal?.keyId ?? '', html)
    const url = kept === undefined ? null : `/projects/${slug}/templates/preview/${kept}`
    return { ...rest, html: html ?? null, html_url: url }
  })
  app.get<{ Params: { project: string; id: string } }>(
    `${PREVIEW}/:id`,
    { config: READ },
    async ({ params, principal }, reply) => {
      const html = documents.find(principal?.keyId ?? '', params.id)
      if (html === undefined) throw notFound()
      return sendDocument(reply, html)
    },
  )
}
