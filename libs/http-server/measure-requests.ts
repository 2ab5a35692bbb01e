import { metrics } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import { openAttributeSets } from '#libs/telemetry'

const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** Asked by machines, every few seconds. */
const NOT_MEASURED = /^\/(health|metrics)/

/** How long each route took to answer, by status. What has no route is one series. */
export function measureRequests(app: FastifyInstance): void {
  const duration = metrics.getMeter('postrider').createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'From the request to the end of its answer',
    advice: { explicitBucketBoundaries: BUCKETS_S },
  })
  const setOf = openAttributeSets()
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? ''
    if (!NOT_MEASURED.test(route)) {
      const { statusCode, elapsedTime } = reply
      // The method of what has no route is a stranger's text.
      const method = route === '' ? '_OTHER' : request.method
      const attributes = setOf(`${method} ${route} ${statusCode}`, () => ({
        'http.request.method': method,
        'http.response.status_code': statusCode,
        ...(route !== '' && { 'http.route': route }),
      }))
      duration.record(elapsedTime / 1_000, attributes)
    }
    done()
  })
}
