/** A form body, byte for byte as Go's url.Values.Encode writes it: keys in byte order, blanks as +. */

/** @param json what a template printed */
export function encodeForm(json: string): { readonly body: string } | { readonly problem: string } {
  const output: unknown = JSON.parse(json)
  if (typeof output !== 'object' || output === null || Array.isArray(output)) {
    return { problem: `a form needs an object of texts, found ${kindOf(output)}` }
  }
  const fields = Object.entries(output)
  const odd = fields.find(([, value]) => typeof value !== 'string')
  if (odd !== undefined) return { problem: `a form needs texts only, found ${kindOf(odd[1])} in a field` }
  const sorted = fields.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return { body: sorted.map(([name, value]) => `${escaped(name)}=${escaped(value as string)}`).join('&') }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}

function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
