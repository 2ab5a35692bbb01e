import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a body that is announced as JSON and empty means `{}`. For routes that need nothing of it; never where `{}` replaces something. */
    takesEmptyBody?: boolean
  }
}

/** JSON as the framework reads it, and nothing for `{}` where the route says so: clients name the type of every POST. */
export function parseJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '' && request.routeOptions.config.takesEmptyBody === true) done(null, {})
    else parse(request, body, done)
  })
}
