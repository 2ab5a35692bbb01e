import { openPatientEngine, readJsonnetFiles } from './jsonnet-files.ts'

/** The linter puts it before each finding; no line of a template begins like it. */
const NAME = '\u0001source'
const FINDING = new RegExp(`^${NAME}:\\(?(\\d+):(\\d+)\\S* (.+)$`)
/** The linter does not say where a function is that nothing calls. */
const PLACELESS = /^ (Unused variable: (\w+))$/

/** Prints what the linter finds in the files. @returns how many findings there are */
export async function lintFiles(patterns: readonly string[]): Promise<number> {
  await using engine = openPatientEngine()
  let count = 0
  for (const { path, source } of readJsonnetFiles(patterns)) {
    const answer = await engine.lint(source, NAME)
    const findings = answer.ok ? findingsOf(answer.text, source) : [answer.message]
    for (const finding of findings) process.stdout.write(`${path}:${finding}\n`)
    count += findings.length
  }
  return count
}

/** `line:column words` each, in the order of the file. */
function findingsOf(report: string, source: string): string[] {
  const found = report.split('\n').flatMap((line) => {
    const [, row, column, words = ''] = FINDING.exec(line) ?? []
    if (row !== undefined) return { row: Number(row), column: Number(column), words }
    const [, unused, name = ''] = PLACELESS.exec(line) ?? []
    return unused === undefined ? [] : { ...placeOfBinding(name, source), words: unused }
  })
  found.sort((a, b) => a.row - b.row || a.column - b.column)
  const findings = found.map(({ row, column, words }) => `${row}:${column} ${words}`)
  return findings.length === 0 && report.trim() !== '' ? [report.replaceAll(`${NAME}:`, '').trim()] : findings
}

function placeOfBinding(name: string, source: string): { row: number; column: number } {
  const at = source.search(new RegExp(`(?<=(local|,)\\s+)${name}\\b`))
  const before = source.slice(0, Math.max(at, 0)).split('\n')
  return { row: before.length, column: (before.at(-1) ?? '').length + 1 }
}
