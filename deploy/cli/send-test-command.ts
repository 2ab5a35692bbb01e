import { type Command, InvalidArgumentError, Option } from 'commander'
import { durationMs } from './instant.ts'
import { FORMATS, type Format, print, tableOf } from './print.ts'

interface SendTestOptions {
  readonly project?: string
  readonly template: string
  readonly locale?: string
  readonly wait: boolean
  readonly timeout: number
  readonly format: Format
}

const TIMEOUT_MS = 120_000

export function addSendTestCommand(program: Command): void {
  program
    .command('send-test')
    .description('Send a test mail the way of every mail, and follow it until it has come to its end.')
    .argument('<address>', 'to whom')
    .option('--project <project>', 'in whose name, by whose provider; id or slug (default: ORY_PROJECT, else default)')
    .option('--template <type>', 'template type, filled with sample data', 'stub')
    .option('--locale <locale>', 'such as de-DE')
    .option('--no-wait', 'end once it is accepted')
    .option('--timeout <duration>', 'how long to follow it', positiveDuration, TIMEOUT_MS)
    .addOption(new Option('--format <format>', 'how to print what became of it').choices(FORMATS).default('table'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider send-test ada@example.org
  $ postrider send-test ada@example.org --project shop --template login_code_valid
  $ postrider send-test ada@example.org --no-wait

Codes and links of the sample data open nothing. Exit 0 where it was sent, 1 otherwise, with the reason.`,
    )
    .action(async (address: string, options: SendTestOptions) => {
      const { sendTest } = await import('./send-test.ts')
      const { message, isGood } = await sendTest({ ...options, address, timeoutMs: options.timeout, env: process.env })
      print(message, options.format, () =>
        tableOf(
          ['FIELD', 'VALUE'],
          Object.entries(message).map(([name, value]) => [name, String(value ?? '')]),
        ),
      )
      if (!isGood) process.exitCode = 1
    })
}

function positiveDuration(text: string): number {
  const ms = durationMs(text)
  if (ms <= 0) throw new InvalidArgumentError('Expected more than nothing.')
  return ms
}
