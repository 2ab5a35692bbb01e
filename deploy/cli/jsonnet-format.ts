import { writeFileSync } from 'node:fs'
import { type JsonnetFile, openPatientEngine, readJsonnetFiles } from './jsonnet-files.ts'

/**
 * Prints the files in the usual form, or rewrites them, or lists those that are in another.
 * @returns whether all is well: every file could be parsed, and with `check` none is in another form
 */
export async function formatFiles(
  patterns: readonly string[],
  { write = false, check = false }: { readonly write?: boolean; readonly check?: boolean },
): Promise<boolean> {
  await using engine = openPatientEngine()
  let isWell = true
  for (const file of readJsonnetFiles(patterns)) {
    const answer = await engine.format(file.source)
    if (!answer.ok) {
      console.error(answer.message.replaceAll('template.jsonnet', file.path))
      isWell = false
    } else if (check) {
      isWell = isFormatted(file, answer.text) && isWell
    } else if (write) {
      rewrite(file, answer.text)
    } else process.stdout.write(answer.text)
  }
  return isWell
}

function isFormatted({ path, source }: JsonnetFile, formatted: string): boolean {
  if (source === formatted) return true
  process.stdout.write(`${path}\n`)
  return false
}

function rewrite({ path, source }: JsonnetFile, formatted: string): void {
  if (source === formatted) return
  writeFileSync(path, formatted)
  console.error(`formatted ${path}`)
}
