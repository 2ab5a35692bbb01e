/** The command line. Data on stdout, messages on stderr; exit 0 done, 1 failed, 2 wrong usage. */
import { Command, CommanderError } from 'commander'
import { messageOf } from '#libs/errors'
import { addConfigCommand } from './config-command.ts'
import { addJsonnetCommand } from './jsonnet-command.ts'
import { addMessagesCommand } from './messages-command.ts'
import { addMigrateCommand } from './migrate-command.ts'
import { addTemplatesCommand } from './templates-command.ts'
import { addUpCommand } from './up-command.ts'

const program = new Command('postrider')
  .description('Delivery system for identity mail: outbox, Kafka, courier, one trace.')
  .exitOverride()
  .showHelpAfterError('(postrider --help shows what there is)')
  .addHelpText(
    'after',
    `
Examples:
  $ postrider up                                   the whole system on this machine
  $ postrider up --scale courier=3,relay=2         with more couriers and relays
  $ postrider messages list --status abandoned     what could not be delivered, and why
  $ postrider messages show <id>                   one message with its attempts
  $ postrider config check postrider.yaml          look for mistakes before starting`,
  )
addUpCommand(program)
addMigrateCommand(program)
addConfigCommand(program)
addMessagesCommand(program)
addTemplatesCommand(program)
addJsonnetCommand(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  // Commander has told the user already; asking for help is no mistake.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  console.error(`postrider: ${messageOf(error)}`)
  return 1
}
