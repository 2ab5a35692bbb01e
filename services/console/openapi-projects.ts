/** The part of the API's description that is about projects and their identity configs. */
import { MASK } from '#libs/config'

const text = { type: 'string' }
const number = { type: 'integer' }
const instant = { type: 'string', format: 'date-time' }
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: unknown) => ({ 'application/json': { schema } })
const answer = (description: string, schema: unknown) => ({ description, content: json(schema) })
const failure = (description: string) => answer(description, ref('error'))
const listOf = (name: string) => ({ type: 'array', items: ref(name) })

const ETAG = { ETag: { schema: text, description: 'Number of the revision in quotes' } }
const project = {
  name: 'project',
  in: 'path',
  required: true,
  schema: text,
  description: 'Id, slug, or the beginning of one of them that no other project has',
}
const revisionNumber = { name: 'number', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }
const ifMatch = {
  name: 'If-Match',
  in: 'header',
  schema: text,
  description: 'Number of the revision that the change is based on, in quotes; another one is the newest: 412',
}
const author = {
  name: 'X-Postrider-Author',
  in: 'header',
  schema: { type: 'string', maxLength: 64 },
  description: 'Who writes, on loopback without a key; else the name of the key counts',
}

const unknownProject = { 400: failure('The beginning of an id or slug is not unique'), 404: failure('No such project') }
const written = {
  200: { ...answer('The new revision; the same number where nothing changed', ref('changedConfig')), headers: ETAG },
  400: failure('Every mistake by its key, in details.problems; nothing was stored'),
  404: failure('No such project'),
  412: failure('Another revision is the newest'),
}
const writing = [project, ifMatch, author]
const body = (content: unknown) => ({ required: true, content })
const fields = (required: readonly string[], properties: unknown) =>
  body(json({ type: 'object', additionalProperties: false, required, properties }))
const read = (summary: string, description: string, schema: unknown, parameters: readonly unknown[] = []) => ({
  get: {
    summary,
    parameters: [project, ...parameters],
    responses: { 200: answer(description, schema), ...unknownProject },
  },
})

const config = {
  get: {
    operationId: 'getIdentityConfig',
    summary: 'The newest identity config, over the defaults',
    parameters: [project],
    responses: { 200: { ...answer('The document', ref('identityConfig')), headers: ETAG }, ...unknownProject },
  },
  put: {
    operationId: 'replaceIdentityConfig',
    summary: 'Replaces the identity config',
    parameters: writing,
    requestBody: body(json(ref('identityConfig'))),
    responses: written,
  },
  patch: {
    operationId: 'patchIdentityConfig',
    summary: 'Changes parts of the identity config by JSON Patch (RFC 6902)',
    parameters: writing,
    requestBody: body({ ...json(ref('jsonPatch')), 'application/json-patch+json': { schema: ref('jsonPatch') } }),
    responses: written,
  },
}

export const PROJECT_PATHS = {
  '/projects': {
    get: { summary: 'Lists projects', responses: { 200: answer('Oldest first', listOf('project')) } },
    post: {
      summary: 'Makes a project and the first revision of its identity config',
      parameters: [author],
      requestBody: fields(['name'], { name: text, slug: text, identity_config: ref('identityConfig') }),
      responses: {
        201: answer('The project, with warnings of its identity config', ref('project')),
        400: failure('A field or the identity config is not valid'),
        409: failure('The slug is taken'),
      },
    },
  },
  '/projects/{project}': {
    ...read('One project', 'The project', ref('project')),
    patch: {
      summary: 'Renames a project; senders show the name',
      parameters: [project],
      requestBody: fields(['name'], { name: text }),
      responses: { 200: answer('The project', ref('project')), ...unknownProject },
    },
  },
  '/projects/{project}/identity-config': config,
  '/projects/{project}/revisions': read('Lists revisions', 'Newest first', listOf('revision')),
  '/projects/{project}/revisions/{number}': read('One revision', 'With its identity config', ref('fullRevision'), [
    revisionNumber,
  ]),
  '/projects/{project}/revisions/{number}/diff': read('What a revision changed', 'Key by key', ref('difference'), [
    revisionNumber,
    {
      name: 'from',
      in: 'query',
      schema: number,
      description: 'The revision to compare with; the one before by default',
    },
  ]),
  '/projects/{project}/rollback': {
    post: {
      summary: 'Makes the content of an earlier revision, with its secrets, the newest one',
      parameters: writing,
      requestBody: fields(['revision'], { revision: { type: 'integer', minimum: 1 } }),
      responses: written,
    },
  },
}

const revision = { number, author: text, created_at: instant }

export const PROJECT_SCHEMAS = {
  project: {
    type: 'object',
    required: ['id', 'slug', 'name', 'revision', 'created_at', 'updated_at'],
    properties: {
      id: { type: 'string', format: 'uuid' },
      slug: text,
      name: text,
      environment: { const: 'prod' },
      workspace_id: { type: 'null' },
      state: { const: 'running' },
      revision: { ...number, description: 'The newest of its identity config' },
      created_at: instant,
      updated_at: instant,
      warnings: { type: 'array', items: text },
    },
  },
  identityConfig: {
    type: 'object',
    description:
      'courier, clients, selfservice and the part of postrider.courier that belongs to a project; dev of the project default. ' +
      `Secrets are shown as ${MASK}; written back at the same place, that keeps the stored one while its target stays.`,
  },
  changedConfig: {
    type: 'object',
    required: ['revision', 'identity_config', 'warnings'],
    properties: { revision: number, identity_config: ref('identityConfig'), warnings: { type: 'array', items: text } },
  },
  revision: { type: 'object', required: Object.keys(revision), properties: revision },
  fullRevision: {
    type: 'object',
    required: [...Object.keys(revision), 'identity_config'],
    properties: { ...revision, identity_config: ref('identityConfig') },
  },
  difference: {
    type: 'object',
    required: ['from', 'to', 'changes'],
    properties: {
      from: number,
      to: number,
      changes: {
        type: 'array',
        items: {
          type: 'object',
          required: ['path'],
          properties: {
            path: text,
            before: { description: 'Absent: added' },
            after: { description: 'Absent: removed' },
          },
        },
      },
    },
  },
  jsonPatch: {
    type: 'array',
    maxItems: 1_000,
    items: {
      type: 'object',
      required: ['op', 'path'],
      properties: {
        op: { enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'] },
        path: text,
        from: text,
        value: {},
      },
    },
  },
}
