/** Hides codes and links in a document, wherever they stand. Not a renderer: what it does not know it throws out. */
import { DIGITS, DOTS, maskText } from './mask-text.ts'

/** Raw text of these is no text of the mail. */
const DROPPED = /<!--[\s\S]*?(?:-->|$)|<(script|style|template|noscript|svg|math|title)\b[\s\S]*?(?:<\/\1\s*>|$)/gi
const PIECE = /<\/?[a-z][^<>]*>|<![^<>]*>|[^<]+|</gi
const TAG = /^<(\/?)([a-z][a-z0-9]*)/i
/** Begins only where a name does: tried anew at each letter of a long one, it would take forever. */
const ATTRIBUTE = /(?<![a-z-])([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi
/** What a mail looks like; nothing in them can be read or followed. */
const SHOWN: ReadonlySet<string> = new Set(['align', 'valign', 'width', 'height', 'border', 'dir', 'lang', 'role'])
const STYLE_VALUE = /^[a-z-]+\s*:\s*[a-z0-9#%.,\s()-]{1,60}$/i
/** `#333333` */
const GREY = /#(\d)\1{5}\b/g
const ENTITY = /&#(x[0-9a-f]{1,6}|\d{1,7});?/gi
const DIGIT = /\p{Nd}/u

/** Keeps the structure and the looks, of attributes only those that can hold no secret. */
export function maskHtml(html: string): string {
  const pieces = html.replace(DROPPED, '').match(PIECE) ?? []
  const isTag = (piece: string): boolean => piece.length > 1 && piece.startsWith('<')
  const texts = maskAcross(pieces.filter((piece) => !isTag(piece)).map(plain))
  let next = 0
  return pieces.map((piece) => (isTag(piece) ? bareTag(piece) : escaped(texts[next++] ?? ''))).join('')
}

/** Codes are also set one digit to a cell: digits that only tags and blanks part belong together. */
function maskAcross(texts: readonly string[]): string[] {
  const joined = texts.join('')
  const isRun = new Array<boolean>(joined.length).fill(false)
  for (const run of joined.matchAll(DIGITS)) isRun.fill(true, run.index, run.index + run[0].length)
  let at = 0
  let isFirst = true
  return texts.map((text) => {
    let shown = ''
    for (const unit of text.split('')) {
      const inRun = isRun[at++] === true
      if (!inRun) {
        shown += unit
        isFirst = true
      } else if (isFirst) {
        shown += DIGIT.test(unit) ? unit + DOTS : DOTS
        isFirst = false
      } else if (/\s/.test(unit)) shown += unit
    }
    return maskText(shown)
  })
}

function bareTag(tag: string): string {
  const [, slash = '', name = ''] = TAG.exec(tag) ?? []
  if (name === '') return ''
  if (slash !== '') return `</${name}>`
  const attributes = [...tag.slice(name.length + 1).matchAll(ATTRIBUTE)].flatMap(([, key = '', a, b, c]) => {
    const value = a ?? b ?? c ?? ''
    if (key.toLowerCase() === 'style') return ` style="${shownStyle(value)}"`
    return SHOWN.has(key.toLowerCase()) && /^[a-z0-9%-]{1,10}$/i.test(value) && !/\d{4}/.test(value)
      ? ` ${key}="${value}"`
      : []
  })
  return `<${name}${attributes.join('')}>`
}

/** Without texts and addresses, and without any number that could be a code. */
function shownStyle(style: string): string {
  const declarations = style.split(';').map((declaration) => declaration.trim())
  return declarations
    .filter((declaration) => STYLE_VALUE.test(declaration) && !/\d{4}/.test(declaration.replace(GREY, '')))
    .join(';')
}

/** Characters that were written as entities: a code may be among them. */
function plain(text: string): string {
  return text
    .replace(ENTITY, (_, number: string) => {
      const code = /^x/i.test(number) ? Number.parseInt(number.slice(1), 16) : Number(number)
      return code > 31 && code <= 0x10ffff ? String.fromCodePoint(code) : ' '
    })
    .replace(/&nbsp;/gi, '\u00a0')
    .replace(/&(?:colon|sol|period);/gi, (name) => ({ '&colon;': ':', '&sol;': '/' })[name.toLowerCase()] ?? '.')
    .replace(/&lt;/gi, '<')
    .replace(/&gt;/gi, '>')
    .replace(/&quot;/gi, '"')
    .replace(/&amp;/gi, '&')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
