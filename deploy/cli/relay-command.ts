import { type Command, Option } from 'commander'
import { andAnother } from './up-command.ts'

interface RelayOptions {
  readonly source: string
  readonly dsn?: string
  readonly prepare?: boolean
  readonly adoptProcessing?: boolean
  readonly drain?: boolean
  readonly resume?: boolean
  readonly config: readonly string[]
}

export function addRelayCommand(program: Command): void {
  program
    .command('relay')
    .description('Run one relay until interrupted: rows of the outbox, or of an existing Ory Kratos, to Kafka.')
    .addOption(new Option('--source <source>', 'whose rows').choices(['outbox', 'kratos']).default('outbox'))
    .option('-c, --config <file>', 'configuration file, again for each further one: later ones win', andAnother, [])
    .option('--dsn <dsn>', "Kratos' database; better by KRATOS_DSN, DSN or a _FILE of either: a process list shows it")
    .option('--prepare', 'Kratos: create schema postrider_kratos, and end')
    .option('--adopt-processing', 'Kratos: first queue what its own courier left in processing')
    .option('--drain', 'Kratos: let every relay stop taking, wait until nothing is under way, and end')
    .option('--resume', 'Kratos: take rows again after a drain')
    .addHelpText(
      'after',
      `
Examples:
  $ KRATOS_DSN=postgres://… postrider relay --source kratos --prepare
  $ KRATOS_DSN=postgres://… postrider relay --source kratos -c kratos.yml -c postrider.yaml
  $ KRATOS_DSN=postgres://… postrider relay --source kratos --drain

How to switch over and back: deploy/kratos.md.`,
    )
    .action(relay)
}

/** In this very process, so that a signal, and the lack of one, meets the relay itself. Ends the process. */
async function relay(options: RelayOptions, command: Command): Promise<void> {
  const args = argumentsOf(options)
  if (options.source !== 'kratos' && (args.length > 2 || options.dsn !== undefined))
    command.error("error: these options are for '--source kratos'", { exitCode: 2 })
  if (options.dsn !== undefined) process.env.KRATOS_DSN = options.dsn
  if (options.config.length > 0) process.env.POSTRIDER_CONFIG = options.config.join(',')
  process.argv.splice(2, process.argv.length, ...args)
  await import('../../services/relay/main.ts')
}

function argumentsOf({ source, prepare, adoptProcessing, drain, resume }: RelayOptions): string[] {
  const flags = { '--prepare': prepare, '--adopt-processing': adoptProcessing, '--drain': drain, '--resume': resume }
  const given = Object.entries(flags).flatMap(([name, isGiven]) => (isGiven ? [name] : []))
  return ['--source', source, ...given]
}
