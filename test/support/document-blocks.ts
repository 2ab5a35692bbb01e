/** What stands in code blocks of Markdown: commands of a shell, SQL, YAML. */
export interface Block {
  /** As it stands behind the fence; empty for none. */
  readonly kind: string
  readonly text: string
  /** Of the fence, 1-based. */
  readonly line: number
}

/** In their order; those inside of lists without their indentation. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].map((match) => ({
    kind: match[2] ?? '',
    text: (match[3] ?? '').replaceAll(new RegExp(`^${match[1]}`, 'gm'), ''),
    line: markdown.slice(0, match.index).split('\n').length,
  }))
}

/** One command per line, as it is typed: without comments, with the lines that `\` continues. */
export function commandsOf({ text }: Block): string[] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s+)# .*$/, '').trim())
    .filter((line) => line !== '')
}

/** Commands of ours that stand in a sentence, between backticks. */
export function inlineCommandsOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^( *)```\w*\n.*?^\1```$/gms, '')
  return [...prose.matchAll(/`((?:npx )?(?:postrider|ory) [^`]+)`/g)].map(([, command = '']) => command)
}
