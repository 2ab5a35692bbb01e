/** Patterns of URLs: `*` and `?` stand for characters within one part of host or path, `**` for any, `{a,b}` for either. */

/** Whether a URL fits one of the patterns; user, password, query and fragment are not looked at. */
export function openExceptionUrls(patterns: readonly string[]): (url: string) => boolean {
  const expressions = patterns.map((pattern) => new RegExp(`^${expressionOf(pattern)}$`))
  if (expressions.length === 0) return () => false
  return (url) => {
    const { origin, pathname } = new URL(url)
    // Both spellings of a bare host mean the same request.
    const spellings = pathname === '/' ? [origin, `${origin}/`] : [origin + pathname]
    return expressions.some((expression) => spellings.some((spelling) => expression.test(spelling)))
  }
}

const TOKEN = /\*\*|\*|\?|\{[^{}]*\}|[^*?{]+|\{/g

function expressionOf(pattern: string): string {
  return (pattern.match(TOKEN) ?? []).map(expressionOfToken).join('')
}

function expressionOfToken(token: string): string {
  if (token === '**') return '.*'
  // A part ends at a dot or a slash, so that *.example.org is no licence for example.org.evil.test.
  if (token === '*') return '[^./]*'
  if (token === '?') return '[^./]'
  if (token.length > 1 && token.startsWith('{'))
    return `(?:${token.slice(1, -1).split(',').map(expressionOf).join('|')})`
  return token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
