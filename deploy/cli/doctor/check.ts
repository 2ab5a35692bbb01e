/** One thing that was looked at, and what to do about it. */
export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skip'

export interface Check {
  /** Such as `database.migrations`. */
  readonly check: string
  readonly status: CheckStatus
  /** What was found; never a credential. */
  readonly detail: string
  /** Where there is something to do. */
  readonly remedy?: string
}

export function ok(check: string, detail: string): Check {
  return { check, status: 'ok', detail }
}

export function skip(check: string, detail: string): Check {
  return { check, status: 'skip', detail }
}

export function warn(check: string, detail: string, remedy: string): Check {
  return { check, status: 'warn', detail, remedy }
}

export function fail(check: string, detail: string, remedy: string): Check {
  return { check, status: 'fail', detail, remedy }
}

/** The whole check fails with `remedy` where looking throws. */
export async function attempt(
  check: string,
  remedy: string,
  look: () => Promise<Check | readonly Check[]>,
): Promise<Check[]> {
  try {
    return [await look()].flat()
  } catch (error) {
    return [fail(check, reasonOf(error), remedy)]
  }
}

/** A collection of errors, such as one per address, says little by itself. */
export function reasonOf(error: unknown): string {
  const { message, errors, cause } = error as { message?: string; errors?: readonly unknown[]; cause?: unknown }
  const inner = errors?.[0] ?? (message === 'fetch failed' ? cause : undefined)
  return inner === undefined ? message || String(error) : reasonOf(inner)
}
