/** What is wrong with a template of one's own, and where. */
import { join } from 'node:path'
import type { EngineFailure } from '#libs/engine'
import type { ChannelId } from '#libs/messages'
import type { MessageParts } from '../render-message.ts'
import type { TemplateSet } from './part-source.ts'

export interface TemplateProblem {
  readonly templateType: string
  readonly channel: ChannelId
  readonly part: keyof MessageParts
  /** File or configuration key. */
  readonly origin: string
  /** From 1; absent where the engine does not say. */
  readonly line?: number
  /** In bytes, from 1. */
  readonly column?: number
  /** What is wrong and, where one is known, the remedy. */
  readonly problem: string
}

export type Explanation = Pick<TemplateProblem, 'origin' | 'line' | 'column' | 'problem'>

/** `origin:line:column problem (type, channel, part)` */
export function toldProblem({ origin, line, column, problem, templateType, channel, part }: TemplateProblem): string {
  const place = [origin, line, column].filter((each) => each !== undefined).join(':')
  return `${place} ${problem} (${part} of ${templateType}, ${channel})`
}

/**
 * @param quoting with data that are no secret the engine's own words are told; else only words of the template and of the language,
 * since Go's errors quote values: a code, an address
 */
export function explainFailure(failure: EngineFailure, set: TemplateSet, quoting: boolean): Explanation {
  const { file, line, column, words } = located(failure.message, set)
  const origin = set.isFolder ? join(set.origin, file) : set.origin
  const place = { origin, ...(line !== undefined && { line }), ...(column !== undefined && { column }) }
  switch (failure.kind) {
    case 'timeout':
      return { origin, problem: 'takes too long: look for a loop without end' }
    case 'memory':
      return { origin, problem: 'needs too much memory: look for a loop or a template that calls itself without end' }
    case 'output':
      return { origin, problem: 'prints too much' }
    case 'parse':
    case 'cancel':
      return { ...place, problem: withRemedy(words) }
    case 'runtime':
      return { ...place, problem: withRemedy(quoting ? words : plainWords(words)) }
  }
}

const LOCATED = /^(?:html\/)?template: ?([^\n]+?):(\d+)(?::(\d+))?: ([\s\S]*)$/
const EXECUTING = /^executing "[^"]*" at <[\s\S]*?>: (?=[a-z"])/

interface Located {
  readonly file: string
  readonly line?: number
  readonly column?: number
  readonly words: string
}

function located(message: string, { files, main }: TemplateSet): Located {
  const [, file = '', line, column, words = ''] = LOCATED.exec(message) ?? []
  if (!Object.hasOwn(files, file)) return { file: main, words: message }
  return {
    file,
    line: Number(line),
    // Go counts from 0.
    ...(column !== undefined && { column: Number(column) + 1 }),
    words: words.replace(EXECUTING, ''),
  }
}

/** Forms that hold names from the template and types of Go, nothing else. */
const PLAIN_WORDS = [
  /^can't evaluate field \w+ in type [\w .*{},[\]]+$/,
  /^template "[\w.-]+" not defined$/,
  /^nil pointer evaluating [\w .*{}]+$/,
  /^error calling \w+(?=: )/,
  /^exceeded maximum template depth/,
  /^range can't iterate over/,
  /^wrong type for value/,
  /^wrong number of args for \w+/,
]

function plainWords(words: string): string {
  for (const form of PLAIN_WORDS) {
    const [plain] = form.exec(words) ?? []
    if (plain !== undefined) return plain
  }
  return 'fails with the data of a message'
}

function withRemedy(words: string): string {
  const [, name] = /^function "(\w+)" not defined/.exec(words) ?? []
  if (name !== undefined) {
    return `there is no function ${name}; of sprig's there are those without clock, random text, environment, keys and certificates`
  }
  const [, field, known] = /^can't evaluate field (\w+) in type TemplateData\{([\w, ]*)\}/.exec(words) ?? []
  if (field !== undefined) return `this type of message has no field ${field}, only ${known}`
  if (/ in type (interface \{\}|string)$/.test(words)) return `${words}: the value before it is no object`
  return words
}
