/** What every HTTP API of ours shares: JSON in and out, errors in Ory's shape, a span per request, health, the guard of loopback. */
export * from './build-http-server.ts'
export * from './error-body.ts'
export * from './guard-loopback.ts'
