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
    .addHelpText('after', '\nExamples:\n  $ postrider up\n  $ postrider up --scale courier=3,relay=2')
    .action(async ({ scale }: { scale: Record<string, number> }) => {
      // Loaded only here: it brings the embedded servers with it, which no other command needs.
      const { up } = await import('../local/up.ts')
      process.exitCode = await up({ scale, env: process.env })
    })
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
