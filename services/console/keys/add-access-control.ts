import type { FastifyInstance } from 'fastify'
import type { Database } from '#libs/database'
import type { Telemetry } from '#libs/telemetry'
import { openAuthenticator } from './authenticate.ts'
import { openFailedAttempts } from './failed-attempts.ts'
import { guardAccess } from './guard-access.ts'
import { addKeyRoutes } from './key-routes.ts'

export interface AccessControl {
  readonly database: Database
  readonly log: Telemetry['log']
  /** That the server will listen on. */
  readonly host: string
  readonly publicOrigin: string | undefined
  /** Of the configuration; empty for none. */
  readonly adminKey: string
}

/** Enough for a typing error, too little for a search. */
const LIMIT = { attempts: 10, windowMs: 60_000 }

/** Guards every route that `app` has or gets, and adds those for keys. */
export function addAccessControl(app: FastifyInstance, control: AccessControl): void {
  const keys = openAuthenticator(control.database, control.adminKey)
  const ports = { ...control, keys, attempts: openFailedAttempts(LIMIT) }
  guardAccess(app, ports)
  addKeyRoutes(app, ports)
}
