/** Projects and their identity configs over HTTP: shapes in and out, no SQL and no rules. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { writeAudit } from '../actions/audit.ts'
import { createProject, readFields, readName, readNewProject } from './create-project.ts'
import { findProject, projectJson } from './find-project.ts'
import { listProjects, renameProject } from './project-repository.ts'
import { showConfig, showDifference, showRevision, showRevisions } from './read-config.ts'
import { authorOf, expectedRevision, readRevisionNumber } from './request-parts.ts'
import { type ChangedConfig, type ProjectPorts, patchConfig, replaceConfig, rollBackConfig } from './write-config.ts'

const PROJECT = '/projects/:project'
const CONFIG = `${PROJECT}/identity-config`
const REVISION = `${PROJECT}/revisions/:number`
/** Templates embedded in it, too. */
const BODY_LIMIT_BYTES = 2 * 1024 * 1024
const PATCH_TYPE = 'application/json-patch+json'

type OfProject = { Params: { project: string } }
type OfRevision = { Params: { project: string; number: string } }

const READ = { config: { access: 'read' } } as const
const CONFIGURE = { bodyLimit: BODY_LIMIT_BYTES, config: { access: 'configure' } } as const

export function addProjectRoutes(app: FastifyInstance, ports: ProjectPorts): void {
  if (!app.hasContentTypeParser(PATCH_TYPE))
    app.addContentTypeParser(PATCH_TYPE, { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))
  addProjects(app, ports)
  addConfigs(app, ports)
  addRevisions(app, ports)
}

function addProjects(app: FastifyInstance, ports: ProjectPorts): void {
  const { database } = ports
  app.get('/projects', { config: { ...READ.config, projectScope: 'own' } }, async ({ principal }) => {
    const projects = await listProjects(database, principal?.project?.id)
    return projects.map(projectJson)
  })
  app.post('/projects', CONFIGURE, async (request, reply) => {
    const { project, warnings } = await createProject(readNewProject(request.body), authorOf(request), ports)
    const made = { ...projectJson(project), ...(warnings.length > 0 && { warnings }) }
    return reply.code(201).header('location', `/projects/${project.id}`).send(made)
  })
  app.get<OfProject>(PROJECT, READ, async ({ params }) => projectJson(await findProject(database, params.project)))
  app.patch<OfProject>(PROJECT, CONFIGURE, async (request) => {
    const name = readName(readFields(request.body, ['name']).name)
    const { id } = await findProject(database, request.params.project)
    await database.transaction(async (tx) => {
      await renameProject(tx, id, name)
      await writeAudit(tx, { actor: authorOf(request), action: 'project.rename', projectId: id, details: { name } })
    })
    return projectJson(await findProject(database, id))
  })
}

function addConfigs(app: FastifyInstance, ports: ProjectPorts): void {
  app.get<OfProject>(CONFIG, READ, async ({ params }, reply) => {
    const { id } = await findProject(ports.database, params.project)
    const { revision, document } = await showConfig(id, ports)
    return reply.header('etag', etag(revision)).send(document)
  })
  app.put<OfProject>(CONFIG, CONFIGURE, async (request, reply) =>
    answer(reply, await replaceConfig(request.body, await changeOf(request, ports), ports)),
  )
  app.patch<OfProject>(CONFIG, CONFIGURE, async (request, reply) =>
    answer(reply, await patchConfig(request.body, await changeOf(request, ports), ports)),
  )
  app.post<OfProject>(`${PROJECT}/rollback`, CONFIGURE, async (request, reply) => {
    const revision = readRevisionNumber(readFields(request.body, ['revision']).revision, 'revision')
    return answer(reply, await rollBackConfig(revision, await changeOf(request, ports), ports))
  })
}

function addRevisions(app: FastifyInstance, ports: ProjectPorts): void {
  app.get<OfProject>(`${PROJECT}/revisions`, READ, async ({ params }) => {
    const { id } = await findProject(ports.database, params.project)
    return showRevisions(id, ports)
  })
  app.get<OfRevision>(REVISION, READ, async ({ params }) => {
    const number = readRevisionNumber(params.number, 'revision')
    const { id } = await findProject(ports.database, params.project)
    return showRevision(id, number, ports)
  })
  app.get<OfRevision & { Querystring: { from?: unknown } }>(`${REVISION}/diff`, READ, async ({ params, query }) => {
    const to = readRevisionNumber(params.number, 'revision')
    const from = query.from === undefined ? to - 1 : readRevisionNumber(query.from, 'from', 0)
    const { id } = await findProject(ports.database, params.project)
    return showDifference(id, { from, to }, ports)
  })
}

async function changeOf(request: FastifyRequest<OfProject>, { database }: ProjectPorts) {
  const { id, name } = await findProject(database, request.params.project)
  return { project: { id, name }, author: authorOf(request), expected: expectedRevision(request) }
}

function answer(reply: FastifyReply, changed: ChangedConfig): FastifyReply {
  return reply.header('etag', etag(changed.revision)).send(changed)
}

function etag(revision: number): string {
  return `"${revision}"`
}
