import type { Command } from 'commander'
import { addGroup } from './command-group.ts'

export function addTemplatesCommand(program: Command): void {
  addGroup(program, 'templates', 'Look at the types of messages and what their templates may use.')
    .command('fields')
    .description('List the fields of every type: their names in Go templates and in Jsonnet. A Markdown table.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ postrider templates fields\n  $ postrider templates fields | grep login_code_valid',
    )
    .action(async () => {
      const { describeTemplateTypes } = await import('#libs/templates')
      process.stdout.write(describeTemplateTypes())
    })
}
