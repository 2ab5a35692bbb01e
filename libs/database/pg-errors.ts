/** SQLSTATE classes after which the same statement may succeed: lost connection, shutdown, no resources, conflict, a standby not yet promoted. */
const TRANSIENT_STATE = /^(08|53|57P0[1-3]|40001|40P01|25006)/
const TRANSIENT_SYSCALL = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)/
/** pg gives these no code at all. */
const TRANSIENT_MESSAGE =
  /^Connection terminated|^timeout exceeded when trying to connect|connection error and is not queryable/

/** The SQLSTATE (or the system's code, such as ECONNREFUSED) of an error from the database, if it has one. */
export function pgCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Whether trying again later can help: connection lost or refused, server starting or stopping, conflict with another transaction. */
export function isTransient(error: unknown): boolean {
  const code = pgCode(error)
  if (code !== undefined) return TRANSIENT_STATE.test(code) || TRANSIENT_SYSCALL.test(code)
  // Several addresses of one host refused: each cause stands in `errors`.
  if (error instanceof AggregateError) return error.errors.some(isTransient)
  return error instanceof Error && TRANSIENT_MESSAGE.test(error.message)
}
