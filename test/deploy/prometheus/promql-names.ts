/** What an expression asks for: metrics, and the labels of each that it selects by. Enough for our own queries, no parser of PromQL. */
export interface Selection {
  readonly metric: string
  readonly labels: readonly string[]
}

const WORDS = new Set(['sum', 'max', 'rate', 'increase', 'absent', 'count', 'topk', 'vector', 'histogram_quantile'])
const OPERATORS = new Set(['or', 'and', 'unless', 'offset', 'by', 'bool', 'le'])

/** Labels that stand behind `by` are looked for in every metric of the expression's sum, and so belong to none here. */
export function selectionsOf(expr: string): Selection[] {
  const selections: Selection[] = []
  const bare = expr.replaceAll(/\b(by|without|on) ?\([^)]*\)/g, '').replaceAll(/\[[^\]]*\]|\b\d[\w.]*/g, '')
  for (const [, metric = '', , matchers = ''] of bare.matchAll(/([a-zA-Z_:][\w:]*)(\{([^}]*)\})?/g)) {
    if (WORDS.has(metric) || OPERATORS.has(metric)) continue
    selections.push({ metric, labels: [...matchers.matchAll(/(\w+) ?(?:=~|!~|!=|=)/g)].map(([, label = '']) => label) })
  }
  return selections
}

export function groupLabelsOf(expr: string): string[] {
  return [...expr.matchAll(/\bby ?\(([^)]*)\)/g)].flatMap(([, labels = '']) =>
    labels.split(',').map((label) => label.trim()),
  )
}
