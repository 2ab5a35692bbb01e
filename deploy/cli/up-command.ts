import { type Command, InvalidArgumentError } from 'commander'
import { messageOf } from '#libs/errors'
import { checkScale } from '../local/service-plans.ts'

export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description(
      'Run the whole system on this machine: PostgreSQL, Kafka, mailbox and all services, until interrupted.',
    )
    .option('--scale <service=count,…>', 'instances per service, one where nothing is said', parseScale, {})
    .option('-c, --config <file>', 'configuration file, again for each further one: later ones win', andAnother, [])
    .addHelpText(
      'after',
      '\nExamples:\n  $ postrider up\n  $ postrider up --scale courier=3,relay=2\n  $ postrider up -c kratos.yml -c postrider.yaml',
    )
    .action(async ({ scale, config }: { scale: Record<string, number>; config: readonly string[] }) => {
      // Loaded only here: it brings the embedded servers with it, which no other command needs.
      const { up } = await import('../local/up.ts')
      const files = config.length > 0 ? { POSTRIDER_CONFIG: config.join(',') } : {}
      process.exitCode = await up({ scale, env: { ...process.env, ...files } })
    })
}

/** Collects an option that may be given several times. */
export function andAnother(file: string, files: readonly string[]): string[] {
  return [...files, file]
}

function parseScale(text: string): Record<string, number> {
  const pairs = text.split(',').map((part) => part.split('='))
  const scale = Object.fromEntries(pairs.map(([service = '', count = '']) => [service.trim(), Number(count)]))
  try {
    checkScale(scale)
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error))
  }
  return scale
}
