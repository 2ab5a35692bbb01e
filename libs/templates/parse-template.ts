/**
 * Reads the part of Go's template language that the built-ins are written in: text, `{{ .Field.path }}`,
 * `{{ if .Field }} … {{ else }} … {{ end }}`, comments, and the trim markers `{{- ` and ` -}}`.
 */

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  /** `path` starts with the Go name of a field of the model. */
  | { readonly kind: 'print'; readonly path: readonly string[] }
  | {
      readonly kind: 'if'
      readonly path: readonly string[]
      readonly then: readonly TemplateNode[]
      readonly otherwise: readonly TemplateNode[]
    }

const ACTION = /\{\{(-[ \t\r\n])?([\s\S]*?)([ \t\r\n]-)?\}\}/g
const COMMENT = /^\/\*(?:(?!\*\/)[\s\S])*\*\/$/
const FIELD = /^(?:\.[A-Za-z_]\w*)+$/
const IF = /^if[ \t\r\n]+((?:\.[A-Za-z_]\w*)+)$/

type Token = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'action'; readonly action: string }

/** An `if` that is still open; `nodes` is the branch being filled. */
interface Block {
  readonly then: TemplateNode[]
  readonly otherwise: TemplateNode[]
  nodes: TemplateNode[]
}

/** @throws Error naming the action, for anything else that Go's language has. */
export function parseTemplate(source: string): readonly TemplateNode[] {
  const root: TemplateNode[] = []
  const blocks: Block[] = []
  for (const token of tokens(source)) {
    const nodes = blocks.at(-1)?.nodes ?? root
    if (token.kind === 'text') nodes.push(token)
    else takeAction(token.action, nodes, blocks)
  }
  if (blocks.length > 0) throw new Error('template: {{ if }} without {{ end }}')
  return root
}

function takeAction(action: string, nodes: TemplateNode[], blocks: Block[]): void {
  const condition = IF.exec(action)?.[1]
  const block = blocks.at(-1)
  if (FIELD.test(action)) nodes.push({ kind: 'print', path: pathOf(action) })
  else if (condition !== undefined) openBlock(pathOf(condition), nodes, blocks)
  else if (action === 'else' && block !== undefined && block.nodes === block.then) block.nodes = block.otherwise
  else if (action === 'end' && block !== undefined) blocks.pop()
  else throw new Error(`template: {{ ${action} }} is outside the compiled part of the language`)
}

function openBlock(path: readonly string[], nodes: TemplateNode[], blocks: Block[]): void {
  const then: TemplateNode[] = []
  const otherwise: TemplateNode[] = []
  nodes.push({ kind: 'if', path, then, otherwise })
  blocks.push({ then, otherwise, nodes: then })
}

function pathOf(field: string): string[] {
  return field.slice(1).split('.')
}

/** Texts that are not empty after trimming, and actions other than comments. */
function tokens(source: string): Token[] {
  const found: Token[] = []
  let position = 0
  let trimsStart = false
  const takeText = (end: number, trimsEnd: boolean): void => {
    const text = trimmed(source.slice(position, end), trimsStart, trimsEnd)
    if (text.includes('{{')) throw new Error('template: an action is not closed')
    if (text !== '') found.push({ kind: 'text', text })
  }
  for (const match of source.matchAll(ACTION)) {
    const [whole, left, action = '', right] = match
    takeText(match.index, left !== undefined)
    if (!COMMENT.test(action)) found.push({ kind: 'action', action: action.trim() })
    position = match.index + whole.length
    trimsStart = right !== undefined
  }
  takeText(source.length, false)
  return found
}

/** Go trims these four characters only. */
function trimmed(text: string, start: boolean, end: boolean): string {
  const left = start ? text.replace(/^[ \t\r\n]+/, '') : text
  return end ? left.replace(/[ \t\r\n]+$/, '') : left
}
