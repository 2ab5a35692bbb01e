/** What of a configuration belongs to a project; the rest is the operator's, for whole processes. */
import { isRecord, keyOf } from '../schema-node.ts'

/** `true`: with all below it. */
type Scope = { readonly [Key: string]: true | Scope }

const PROJECT: Scope = {
  courier: true,
  clients: true,
  selfservice: true,
  postrider: { courier: { rate: true, concurrency: true, retry_schedule: true, on_unknown: true, fallback: true } },
}
/** Whether subjects and bodies are shown is for who runs the deployment. */
const OPERATOR: Scope = { ...PROJECT, dev: true }
/** Known to the schema and read from the operator's file and environment only. */
const OF_PROCESSES = {
  top: ['secrets', 'dev'],
  postrider: ['database', 'kafka', 'relay', 'identity', 'projector', 'console', 'telemetry'],
  'postrider.courier': ['window', 'metrics_port'],
}

export interface ScopeOptions {
  /** Whether it is the project `default`, whose configuration is the operator's. */
  readonly isDefault: boolean
}

/**
 * The part of `value` that a project has a say in. Keys that are known to belong to processes are left out and told; unknown ones
 * stay, for the validation.
 */
export function projectPart(value: unknown, { isDefault }: ScopeOptions): { document: unknown; ignored: string[] } {
  const ignored: string[] = []
  const scope = isDefault ? OPERATOR : PROJECT
  return { document: part(value, scope, []), ignored }

  function part(from: unknown, within: true | Scope, path: readonly string[]): unknown {
    if (within === true || !isRecord(from)) return from
    const processes: readonly string[] =
      Object.entries(OF_PROCESSES).find(([key]) => key === (keyOf(path) || 'top'))?.[1] ?? []
    const entries = Object.entries(from).flatMap(([key, child]) => {
      const next = Object.hasOwn(within, key) ? within[key] : undefined
      if (next !== undefined) return [[key, part(child, next, [...path, key])] as const]
      if (!processes.includes(key)) return [[key, child] as const]
      ignored.push(keyOf([...path, key]))
      return []
    })
    return Object.fromEntries(entries)
  }
}

/** The same of a complete configuration: nothing but what a project has a say in. */
export function onlyProjectPart(value: unknown, { isDefault }: ScopeOptions): Record<string, unknown> {
  const only = (from: unknown, within: true | Scope): unknown => {
    if (within === true || !isRecord(from)) return from
    const known = Object.entries(within).map(([key, next]) => [key, only(from[key], next)] as const)
    const entries = known.filter(([, child]) => child !== undefined)
    // What held keys of processes only says nothing of the project.
    return entries.length > 0 ? Object.fromEntries(entries) : undefined
  }
  const part = only(value, isDefault ? OPERATOR : PROJECT)
  return isRecord(part) ? { ...part } : {}
}
