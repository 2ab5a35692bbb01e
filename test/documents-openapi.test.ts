/** Both OpenAPI documents are valid, and say of each route what there is: no more and no less. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { trace } from '@opentelemetry/api'
import pino from 'pino'
import { buildHttpServer } from '#libs/http-server'
import { consoleRoutes, withoutNames } from '../deploy/documents/console-routes.ts'
import type { Document, Operation } from '../deploy/documents/openapi-document.ts'
import { OPENAPI as CONSOLE } from '../services/console/openapi.ts'
import { OPENAPI as IDENTITY } from '../services/identity/openapi.ts'
import type { IdentityPorts } from '../services/identity/ports.ts'
import { addIdentityRoutes } from '../services/identity/routes.ts'
import { openApiProblems } from './support/openapi-shape.ts'

/** Described nowhere: the description itself, figures for machines, and the second names of the admin API. */
const OF_NO_DOCUMENT = /^(\/openapi\.json|\/metrics|\/courier\/messages.*)$/
/** Of #libs/http-server, which registers them before anybody looks. */
const OF_EVERY_SERVER = ['GET /health/alive']

const DOCUMENTS = [
  { name: 'console', openapi: CONSOLE as Document, routesOf: routesOfConsole },
  { name: 'identity', openapi: IDENTITY as Document, routesOf: routesOfIdentity },
]

async function routesOfConsole(): Promise<string[]> {
  return [...(await consoleRoutes()).map(({ method, path }) => `${method} ${path}`), ...OF_EVERY_SERVER]
}

async function routesOfIdentity(): Promise<string[]> {
  const log = pino({ level: 'silent' })
  const app = buildHttpServer({
    trustCallers: false,
    telemetry: { log, tracer: trace.getTracer('test'), handleMetrics: (_request, response) => response.end() },
  })
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => {
    routes.push(...[method].flat().map((each) => `${each} ${withoutNames(url)}`))
  })
  addIdentityRoutes(app, {} as IdentityPorts, { take: () => 0 })
  await app.ready()
  await app.close()
  return routes
}

function operationsOf({ paths }: Document): { name: string; path: string; operation: Operation }[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  )
}

for (const { name, openapi, routesOf } of DOCUMENTS) {
  describe(`the OpenAPI document of ${name}`, () => {
    const operations = operationsOf(openapi)

    it('is valid OpenAPI 3.1', () => assert.deepEqual(openApiProblems(openapi), []))

    it('has every route that is served, and no other', async () => {
      const served = (await routesOf()).filter((route) => {
        const [method = '', path = ''] = route.split(' ')
        return method !== 'HEAD' && !OF_NO_DOCUMENT.test(path)
      })
      const described = operations.map((operation) => withoutNames(operation.name))
      assert.deepEqual(described.sort(), served.sort())
    })

    it('names the parts of each path as its parameters', () => {
      for (const { name: operationName, path, operation } of operations) {
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, part]) => part)
        const told = (operation.parameters ?? []).filter((each) => each.in === 'path').map((each) => each.name)
        assert.deepEqual(told.sort(), inPath.sort(), operationName)
      }
    })

    it('refers only to what it has, and gives an operation no name twice', () => {
      const { schemas } = openapi.components
      const refs = [...JSON.stringify(openapi).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to = '']) => to)
      const missing = refs.filter((to) => schemas[to.replace('#/components/schemas/', '')] === undefined)
      assert.deepEqual(missing, [])
      const ids = operations.flatMap(({ operation }) => operation.operationId ?? [])
      assert.deepEqual(ids.toSorted(), [...new Set(ids)].sort())
    })
  })
}

describe('openApiProblems', () => {
  for (const [what, change] of [
    ['an operation without answers', { paths: { '/x': { get: { summary: 'x' } } } }],
    ['a parameter of the path that may be missing', { paths: { '/x': { get: withParameter({ required: false }) } } }],
    ['a parameter without a schema', { paths: { '/x': { get: withParameter({ schema: undefined }) } } }],
    ['an unknown field', { paths: { '/x': { get: { responses: { 200: { description: '' } }, responds: {} } } } }],
    ['a status that is none', { paths: { '/x': { get: { responses: { ok: { description: '' } } } } } }],
    ['a path without a slash', { paths: { x: {} } }],
    ['a type that is none', { components: { schemas: { x: { type: 'text' } } } }],
    ['another version', { openapi: '3.0.3' }],
  ] as const) {
    it(`finds ${what}`, () =>
      assert.notDeepEqual(openApiProblems(JSON.parse(JSON.stringify({ ...CONSOLE, ...change }))), []))
  }
})

function withParameter(change: object): object {
  const parameter = { name: 'id', in: 'path', required: true, schema: { type: 'string' }, ...change }
  return { responses: { 200: { description: '' } }, parameters: [parameter] }
}
