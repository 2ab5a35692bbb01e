/** What is wrong with a body template, without what it was fed: go-jsonnet's messages quote codes and addresses freely. */
import type { EngineFailure } from '#libs/engine'

/** Messages that hold words of the language only. */
const PLAIN = [
  /^Unexpected type \w+(, expected \w+)?$/,
  /^max stack frames exceeded\.?$/,
  /^couldn't manifest function as JSON$/,
  /^Division by zero\.?$/,
  /^function has no parameter ctx$/,
  /^Object assertion failed\.?$/,
]
/** Messages that end with a name; it is shown where the template itself has it. */
const NAMING = /^(Field does not exist: |Missing argument: |Undefined external variable: )([A-Za-z_]\w*)$/
const POSITION = /^template\.jsonnet:\(?(\d+):(\d+)/

export function templateProblem({ kind, message }: EngineFailure, source: string): string {
  switch (kind) {
    case 'timeout':
      return 'took too long'
    case 'memory':
      return 'needs too much memory'
    case 'output':
      return 'makes a body that is too long'
    case 'cancel':
      return 'cancelled the message'
    case 'parse': {
      const [, line, column] = POSITION.exec(message) ?? []
      return line === undefined ? 'cannot be parsed' : `cannot be parsed at line ${line}, column ${column}`
    }
    case 'runtime':
      return `failed: ${runtimeProblem(message.split('\n', 1)[0]!.replace(/^RUNTIME ERROR: /, ''), source)}`
  }
}

function runtimeProblem(message: string, source: string): string {
  if (PLAIN.some((form) => form.test(message))) return message
  if (message.startsWith('import is disabled')) return 'import is disabled'
  const [, before, name] = NAMING.exec(message) ?? []
  if (before === undefined || name === undefined) return 'its own error, or one that quotes the mail'
  return source.includes(name) ? before + name : `${before}…`
}
