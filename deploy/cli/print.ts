import { stringify } from 'yaml'

export const FORMATS = ['table', 'json', 'yaml'] as const
export type Format = (typeof FORMATS)[number]

/** Writes `data` to stdout; `toTable` is asked only where a table is wanted. */
export function print(data: unknown, format: Format, toTable: () => string): void {
  switch (format) {
    case 'json':
      process.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`)
      return
    case 'yaml':
      process.stdout.write(stringify(data))
      return
    case 'table':
      process.stdout.write(`${toTable()}\n`)
  }
}

/** Columns as wide as their widest cell, two spaces between; control characters of cells become spaces. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows.map((row) => row.map((cell) => cell.replace(/\p{Cc}/gu, ' ')))]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
