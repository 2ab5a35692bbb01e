import type { TemplateSet } from './part-source.ts'
import type { TemplateProblem } from './template-problem.ts'

export interface Reports {
  /** Told once as long as the content stays the same. */
  readonly ofContent: (set: TemplateSet, problem: TemplateProblem) => void
  /** Told once until `forget`. */
  readonly ofSource: (origin: string, problem: TemplateProblem) => void
  readonly forget: (origin: string) => void
}

/** A template that fails fails for every mail: its owner is told once, not a thousand times a second. */
export function openReports(onProblem: ((problem: TemplateProblem) => void) | undefined): Reports {
  const contents = new WeakMap<object, Set<string>>()
  const origins = new Set<string>()

  function tellOnce(told: Set<string>, key: string, problem: TemplateProblem): void {
    if (told.has(key)) return
    told.add(key)
    onProblem?.(problem)
  }

  return {
    ofContent: ({ files, main }, problem) => {
      const told = contents.get(files) ?? new Set()
      contents.set(files, told)
      tellOnce(told, main, problem)
    },
    ofSource: (origin, problem) => tellOnce(origins, origin, problem),
    forget: (origin) => {
      origins.delete(origin)
    },
  }
}
