/** What `--help` prints, of every command, as one page of Markdown. */
import type { Command } from 'commander'
import { MADE } from './markdown.ts'

const WIDTH = 100

export function commandReference(program: Command): string {
  return `${[
    '# Commands',
    MADE,
    'What `--help` prints. `ory` and `postrider` are two names of one program. Data goes to stdout and messages to stderr; the exit code is 0 when it is done, 1 when it failed, and\n' +
      '2 for wrong usage.',
    '## postrider',
    helpOf(program),
    ...program.commands.flatMap((command) => sectionsOf(command, 'postrider', 2)),
  ].join('\n\n')}\n`
}

function sectionsOf(command: Command, before: string, depth: number): string[] {
  const name = `${before} ${command.name()}`
  const heading = `${'#'.repeat(depth)} ${name}`
  if (command.commands.length === 0) return [heading, helpOf(command)]
  const below = command.commands.flatMap((each) => sectionsOf(each, name, depth + 1))
  return [heading, command.description(), ...below]
}

/** Also what is added after the options, which only printing has. */
function helpOf(command: Command): string {
  const parts: string[] = []
  command.configureOutput({ writeOut: (text) => parts.push(text), getOutHelpWidth: () => WIDTH })
  command.outputHelp()
  return `\`\`\`text\n${parts.join('').trim()}\n\`\`\``
}
