/** The body of a bulk action: the list's parameters by their names, and whether only to count. */
import { CodedError } from '#libs/errors'
import { isUnfiltered, type MessageFilter } from '../message-filter.ts'
import { FILTER_NAMES, type FilterName, type FilterPorts, type Query, readFilter } from '../read-filter.ts'

export interface Bulk {
  readonly isDryRun: boolean
  /** undefined where nothing can match. */
  readonly filter: MessageFilter | undefined
  /** What may be written down of it: no addresses. */
  readonly told: Readonly<Record<string, unknown>>
}

const HIDDEN: ReadonlySet<string> = new Set(['recipient', 'q'])

/** @throws REQUEST_INVALID naming the field; also for one that is unknown, since a misspelt filter would choose more than was meant */
export async function readBulk(body: unknown, ports: FilterPorts, onlyProject: string | undefined): Promise<Bulk> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('body', 'expected an object')
  const { dry_run: isDryRun = false, ...fields } = body as Record<string, unknown>
  if (typeof isDryRun !== 'boolean') throw invalid('dry_run', 'expected true or false')
  const query: Record<string, string> = {}
  for (const [name, value] of Object.entries(fields)) {
    const field = FILTER_NAMES.find((each) => each === name)
    if (field === undefined) throw invalid(name.slice(0, 60), `unknown field, expected ${FILTER_NAMES.join(', ')}`)
    if (value !== null && value !== '') query[field] = textOf(value, field)
  }
  const filter = await readFilter(query satisfies Query, ports, onlyProject)
  if (Object.keys(query).length === 0 || (filter !== undefined && isUnfiltered(filter)))
    throw invalid('body', 'expected at least one filter, such as {"state": "deferred"}')
  const told = Object.fromEntries(Object.entries(query).map(([name, text]) => [name, HIDDEN.has(name) ? '…' : text]))
  return { isDryRun, filter, told }
}

function textOf(value: unknown, field: FilterName): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw invalid(field, 'expected a text')
}

function invalid(field: string, problem: string): CodedError {
  return new CodedError('REQUEST_INVALID', `${field}: ${problem}`, { details: { field } })
}
