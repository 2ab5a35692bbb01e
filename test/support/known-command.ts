import type { Command } from 'commander'

/**
 * Looks a command up that is not run: its name and its options, not their values.
 * @param words without the name of the program; `a|b` stands for each of them
 * @returns what there is not; undefined where there is all
 */
export function unknownIn(program: Command, words: readonly string[]): string | undefined {
  let command = program
  for (const word of words) {
    if (command.commands.length === 0) break
    const known = command.commands
    const named = word.split('|').map((name) => known.find((each) => [each.name(), ...each.aliases()].includes(name)))
    const next = named[0]
    if (next === undefined || named.includes(undefined)) return word
    command = next
  }
  return words
    .filter((word) => word.startsWith('-') && word !== '-')
    .map((word) => word.split('=')[0]!)
    .find((word) => !command.options.some(({ long, short }) => long === word || short === word))
}
