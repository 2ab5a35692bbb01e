/**
 * Chooses the escapers of every printed value in an HTML template by where it stands, as Go's html/template does:
 * between tags, or in a double-quoted attribute. Anything that would need more than that is refused, and so is what Go
 * would rewrite in the text itself (comments, stray `<`).
 */
import type { EscaperName } from './escapers.ts'
import type { TemplateNode } from './parse-template.ts'

type Context =
  | { readonly kind: 'text' }
  | { readonly kind: 'tag'; readonly element: string }
  /** `before` is the literal text of the attribute so far. */
  | { readonly kind: 'attribute'; readonly element: string; readonly name: string; readonly before: string }
  /** Inside `style` or `title`: literal text only. */
  | { readonly kind: 'raw'; readonly element: string }

const TEXT: Context = { kind: 'text' }
const RAW_ELEMENTS = ['style', 'title']
const REFUSED_ELEMENTS = ['script', 'textarea', 'noscript', 'iframe', 'xmp', 'plaintext', 'svg', 'math']
/** Attributes that may hold a value; every other only literal text. */
const PLAIN_ATTRIBUTES = ['alt', 'class', 'height', 'id', 'lang', 'title', 'width']
const URL_ATTRIBUTES = ['background', 'cite', 'href', 'src']

/** One list per printed value, in the order of the document; applied from left to right. @throws Error */
export function chooseEscapers(nodes: readonly TemplateNode[]): readonly (readonly EscaperName[])[] {
  const chosen: (readonly EscaperName[])[] = []
  if (walk(nodes, TEXT, chosen).kind !== 'text') throw new Error('template: ends inside a tag')
  return chosen
}

function walk(nodes: readonly TemplateNode[], start: Context, chosen: (readonly EscaperName[])[]): Context {
  let context = start
  for (const node of nodes) {
    if (node.kind === 'text') context = afterText(context, node.text)
    else if (node.kind === 'print') chosen.push(escapersAt(context))
    else context = joined(walk(node.then, context, chosen), walk(node.otherwise, context, chosen))
  }
  return context
}

function joined(a: Context, b: Context): Context {
  if (JSON.stringify(a) !== JSON.stringify(b))
    throw new Error('template: the branches of an if end in different places')
  return a
}

function escapersAt(context: Context): readonly EscaperName[] {
  if (context.kind === 'text') return ['htmlescaper']
  if (context.kind === 'attribute' && PLAIN_ATTRIBUTES.includes(context.name)) return ['attrescaper']
  if (context.kind !== 'attribute' || !URL_ATTRIBUTES.includes(context.name)) {
    throw new Error(`template: a value may not stand in this place (${context.kind})`)
  }
  if (/[#?]/.test(context.before)) return ['urlescaper', 'attrescaper']
  return context.before.trim() === '' ? ['urlfilter', 'urlnormalizer', 'attrescaper'] : ['urlnormalizer', 'attrescaper']
}

function afterText(start: Context, text: string): Context {
  let context = start
  for (let rest = text; rest !== ''; ) {
    const [next, length] = step(context, rest)
    context = next
    rest = rest.slice(length)
  }
  return context
}

/** The context after the first `length` characters of `text`, at least one. */
function step(context: Context, text: string): [next: Context, length: number] {
  switch (context.kind) {
    case 'text':
      return stepText(text)
    case 'tag':
      return stepTag(context.element, text)
    case 'attribute':
      return stepAttribute(context, text)
    case 'raw':
      return stepRaw(context, text)
  }
}

function stepText(text: string): [Context, number] {
  const at = text.indexOf('<')
  if (at !== 0) return [TEXT, at < 0 ? text.length : at]
  const doctype = /^<!doctype [^<>]*>/i.exec(text)
  if (doctype !== null) return [TEXT, doctype[0].length]
  const [tag, close, name] = /^<(\/?)([a-z][a-z0-9]*)(?=[\s>])/i.exec(text) ?? []
  if (tag === undefined || name === undefined) throw new Error('template: a comment or a < that opens no tag')
  if (REFUSED_ELEMENTS.includes(name.toLowerCase())) throw new Error(`template: <${name}> is refused`)
  return [{ kind: 'tag', element: close === '' ? name.toLowerCase() : '' }, tag.length]
}

function stepTag(element: string, text: string): [Context, number] {
  const space = /^\s+/.exec(text)
  if (space !== null) return [{ kind: 'tag', element }, space[0].length]
  if (text.startsWith('>')) return [RAW_ELEMENTS.includes(element) ? { kind: 'raw', element } : TEXT, 1]
  const [attribute, name, value] = /^([a-z][a-z0-9:-]*)(="|(?=[\s>]))/i.exec(text) ?? []
  if (attribute === undefined || name === undefined) throw new Error('template: expected name="value" in a tag')
  if (value === '') return [{ kind: 'tag', element }, attribute.length]
  return [{ kind: 'attribute', element, name: name.toLowerCase(), before: '' }, attribute.length]
}

function stepAttribute(context: Context & { kind: 'attribute' }, text: string): [Context, number] {
  const end = text.indexOf('"')
  if (end === 0) return [{ kind: 'tag', element: context.element }, 1]
  const value = end < 0 ? text : text.slice(0, end)
  return [{ ...context, before: context.before + value }, value.length]
}

/** Go strips comments from a style sheet, so none may be there. */
function stepRaw(context: Context & { kind: 'raw' }, text: string): [Context, number] {
  const end = text.toLowerCase().indexOf(`</${context.element}>`)
  const content = end < 0 ? text : text.slice(0, end)
  if (/\/[/*]|<|["'`]/.test(content)) throw new Error(`template: a comment, quote or < inside <${context.element}>`)
  return end < 0 ? [context, text.length] : [TEXT, end + context.element.length + 3]
}
