import { availableParallelism } from 'node:os'
import type { Meter } from '@opentelemetry/api'
import type { EngineAnswer, EngineFailure, EngineJob } from './answer.ts'
import { startProcess } from './engine-process.ts'
import { measureJobs } from './measure-jobs.ts'
import { openProcessPool } from './process-pool.ts'

export interface EngineOptions {
  /** Processes, about 130 MiB each, started with the first job that needs one. Default: the machine's cores. */
  readonly workers?: number
  /** What a job may take before its process is ended. Default 1,000. */
  readonly timeoutMs?: number
  /** What a job may use, with the engine itself (about 13 MiB). Default 64. */
  readonly memoryMiB?: number
  /** Longest output. Default 512. */
  readonly outputKiB?: number
  readonly meter?: Meter
}

/** The files of one folder by name; one uses another by `{{ template "email.body.de.gotmpl" . }}`. */
export type TemplateFiles = Readonly<Record<string, string>>

export interface TemplateJob {
  /** `html` escapes by context, as Go's html/template does. */
  readonly mode: 'text' | 'html'
  readonly files: TemplateFiles
  readonly main: string
  /** A JSON object; null in it stands for an empty map. */
  readonly dataJson: string
  /** The fields that the data may have: any other in a template is an error. Without it, it prints `<no value>`. */
  readonly fields?: readonly string[]
}

/** One place of an HTML template that prints a value: what is written there, and the escapers Go puts behind it (`htmlescaper`, …). */
export interface EscapedAction {
  readonly action: string
  readonly escapers: readonly string[]
}

/**
 * Jsonnet and Go templates as Ory Kratos understands them, run where they can reach nothing and end nothing but themselves. A fault of a
 * template is a value; what is thrown is ENGINE_BUSY or the engine's own trouble.
 */
export interface Engine extends AsyncDisposable {
  /**
   * What `source` makes of the context, in go-jsonnet's own print. `ctx` has today's keys and, hidden, those of Kratos 1.0; `extras` are
   * hidden keys as well (`ctx.message_id`), and never replace one of the context.
   */
  readonly evaluate: (
    source: string,
    ctxJson: string,
    extras?: Readonly<Record<string, unknown>>,
  ) => Promise<{ readonly ok: true; readonly json: string } | EngineFailure>
  readonly renderTemplate: (job: TemplateJob) => Promise<EngineAnswer>
  /** go-jsonnet's linter; the text is empty when it finds nothing. */
  readonly lint: (source: string, name: string) => Promise<EngineAnswer>
  readonly format: (source: string) => Promise<EngineAnswer>
  /** Every place where an HTML template prints, in the order of its text; those of a called template stand where it is called. */
  readonly escapers: (
    job: Pick<TemplateJob, 'files' | 'main'>,
  ) => Promise<{ readonly ok: true; readonly actions: readonly EscapedAction[] } | EngineFailure>
}

/** Opens the engine. Its processes start when they are needed, keep no idle program alive and end with it. */
export function openEngine(options: EngineOptions = {}): Engine {
  const { workers = availableParallelism(), timeoutMs = 1_000, memoryMiB = 64, outputKiB = 512, meter } = options
  const pool = openProcessPool({ workers, timeoutMs, startProcess: () => startProcess({ memoryMiB, outputKiB }) })
  const measured = meter === undefined ? pool.run : measureJobs(pool, meter)
  const run = (operation: EngineJob['operation'], ...inputs: string[]): Promise<EngineAnswer> =>
    measured({ operation, inputs })

  return {
    evaluate: async (source, ctxJson, extras = {}) => {
      const answer = await run('jsonnet', source, ctxJson, JSON.stringify(extras))
      return answer.ok ? { ok: true, json: answer.text } : answer
    },
    renderTemplate: ({ mode, files, main, dataJson, fields }) =>
      run('render', JSON.stringify(files), main, mode, dataJson, JSON.stringify(fields ?? null)),
    lint: (source, name) => run('lint', source, name),
    format: (source) => run('format', source),
    escapers: async ({ files, main }) => {
      const answer = await run('escapers', JSON.stringify(files), main)
      return answer.ok ? { ok: true, actions: JSON.parse(answer.text) as EscapedAction[] } : answer
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}
