/** What README.md tells to run: its code blocks, in their order. */
export interface Block {
  /** sh, sql or console. */
  readonly kind: string
  readonly text: string
}

/** A command after `$ `, and what it prints. */
export interface Session {
  readonly command: string
  readonly output: string
}

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind = '', text = '']) => ({ kind, text }))
}

export function sessionsOf({ text }: Block): Session[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n')
      return { command: part.slice(0, end), output: part.slice(end + 1) }
    })
}

/** The name in the first line's comment. */
export function fileNameOf({ text }: Block): string {
  const name = /^-- (\S+\.sql)\n/.exec(text)?.[1]
  if (name === undefined) throw new Error(`no name of a file in the first line: ${text}`)
  return name
}
