/** The one of `keys` that `key` was probably meant to be; undefined where none is near. */
export function nearestKey(key: string, keys: readonly string[]): string | undefined {
  const most = key.length < 5 ? 1 : Math.max(2, Math.floor(key.length / 4))
  const ranked = keys
    .map((candidate) => ({ candidate, edits: distance(key.toLowerCase(), candidate) }))
    .filter(({ edits }) => edits <= most)
    .sort((a, b) => a.edits - b.edits)
  return ranked[0]?.candidate
}

/** Levenshtein: how many letters have to be put in, taken out or changed. */
function distance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > to.length) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1]
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] ?? 0) + (letter === to[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change))
    }
    row = next
  }
  return row[to.length] ?? 0
}
