/** What the API says against a document, by key. */
import { ApiError } from '../../api.ts'

export interface Problem {
  readonly key: string
  readonly text: string
}

const LINE = /^\s*([\w.$[\]-]+): (.*)$/s

/** One per line that the API gives, or the message itself; keys are empty where none is told. */
export function problemsOf(error: unknown): readonly Problem[] {
  if (!(error instanceof ApiError)) return [{ key: '', text: error instanceof Error ? error.message : String(error) }]
  const { problems } = error.details
  const lines = Array.isArray(problems) ? problems.map(String) : [error.message]
  return lines.map((line) => {
    const [, key = '', text = line] = LINE.exec(line) ?? []
    return { key, text: capitalized(text) }
  })
}

/** Of the key itself. */
export function textsAt(problems: readonly Problem[], at: string): readonly string[] {
  return problems.filter(({ key }) => key === at).map(({ text }) => text)
}

/** Of the key and of all below it. */
export function textsWithin(problems: readonly Problem[], at: string): readonly string[] {
  return problems.filter(({ key }) => key === at || key.startsWith(`${at}.`)).map(({ text }) => text)
}

/** The control of a key, or of the nearest one above it. */
export function controlOf(key: string): HTMLElement | null {
  for (let at = key; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    const control = document.getElementById(at)
    if (control !== null) return control
  }
  return null
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
