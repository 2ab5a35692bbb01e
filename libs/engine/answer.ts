/** Why the engine has no output. `cancel` is a template's own wish (`error "cancel"`), the rest is a fault of template or data. */
export type EngineFailureKind = 'parse' | 'runtime' | 'cancel' | 'timeout' | 'memory' | 'output'

export interface EngineFailure {
  readonly ok: false
  readonly kind: EngineFailureKind
  /** At most 1 KiB. For the template's author: it may quote the data, so it never goes into logs, spans or the status topic. */
  readonly message: string
}

export type EngineAnswer = { readonly ok: true; readonly text: string } | EngineFailure

/** One call of the module. */
export interface EngineJob {
  /** The function's name in the module. */
  readonly operation: 'jsonnet' | 'lint' | 'format' | 'render' | 'escapers'
  /** The first is the source. */
  readonly inputs: readonly string[]
}

export interface EngineLimits {
  readonly memoryMiB: number
  readonly outputKiB: number
}

/** The module's numbers for the kinds of an answer. */
const KINDS: readonly EngineFailureKind[] = ['parse', 'runtime', 'cancel', 'output']

export function answerOf(kind: number, text: string): EngineAnswer {
  if (kind === 0) return { ok: true, text }
  return failure(KINDS[kind - 1] ?? 'runtime', text)
}

export function failure(kind: EngineFailureKind, message: string): EngineFailure {
  return { ok: false, kind, message }
}
