/** What the command line has to offer; nothing of it runs here. */
import { Command } from 'commander'
import { addConfigCommand } from './config-command.ts'
import { addDemoCommand } from './demo-command.ts'
import { addDoctorCommand } from './doctor-command.ts'
import { addEventsCommand } from './events-command.ts'
import { addGetCommand } from './get-command.ts'
import { addJsonnetCommand } from './jsonnet-command.ts'
import { addKeysCommand } from './keys-command.ts'
import { addListCommand } from './list-command.ts'
import { addMessagesCommand } from './messages-command.ts'
import { addMigrateCommand } from './migrate-command.ts'
import { addPatchCommand } from './patch-command.ts'
import { addRelayCommand } from './relay-command.ts'
import { addDiffCommand, addRollbackCommand } from './revision-commands.ts'
import { addSendTestCommand } from './send-test-command.ts'
import { addTemplatesCommand } from './templates-command.ts'
import { addTraceCommand } from './trace-command.ts'
import { addUpCommand } from './up-command.ts'
import { addUpdateCommand } from './update-command.ts'
import { addCreateCommand, addUseCommand } from './use-command.ts'

/** In the order in which `--help` lists them. */
const COMMANDS = [
  addUpCommand,
  addMigrateCommand,
  addRelayCommand,
  addConfigCommand,
  addMessagesCommand,
  addTraceCommand,
  addSendTestCommand,
  addDoctorCommand,
  addDemoCommand,
  addEventsCommand,
  addKeysCommand,
  addTemplatesCommand,
  addJsonnetCommand,
  addListCommand,
  addGetCommand,
  addUpdateCommand,
  addPatchCommand,
  addUseCommand,
  addCreateCommand,
  addDiffCommand,
  addRollbackCommand,
]

/** @param name `ory` or `postrider`, as the user typed it */
export function buildProgram(name: string): Command {
  const program = new Command(name)
    .description('Delivery system for identity mail: outbox, Kafka, courier, one trace.')
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      `
Examples:
  $ postrider up                                   the whole system on this machine
  $ postrider up --scale courier=3,relay=2         with more couriers and relays
  $ postrider messages list --status abandoned     what could not be delivered, and why
  $ postrider messages show <id>                   one message with its attempts
  $ postrider messages tail                        follow messages as they change
  $ postrider messages retry --state deferred      send now what waits
  $ postrider trace <id>                           the way of one message, as a waterfall
  $ postrider send-test ada@example.org            a test mail, followed to its end
  $ postrider doctor                               what is wrong, and what to do about it
  $ postrider demo                                 fill the system with examples
  $ postrider events query why-sent-dropped        what changed in the last hour
  $ postrider config check postrider.yaml          look for mistakes before starting
  $ ory list projects                              projects; ory is another name of this command
  $ ory get identity-config <id> --format yaml     the configuration of one
  $ ory update identity-config <id> --file f.yaml  a new one, which couriers follow at once`,
    )
  for (const add of COMMANDS) add(program)
  return program
}
