import { messageOf } from '#libs/errors'

/** Why a program that fetches failed: its first line about an error, which is how pip, npm and Maven say it; else the error's own. */
export function reasonOf(error: unknown): string {
  const outputs = ['stdout', 'stderr'].map((name) => String(Object(error)[name] ?? ''))
  const line = outputs.flatMap((output) => output.split('\n')).find((text) => /\berror\b/i.test(text))
  return line?.trim() ?? messageOf(error)
}
