import { type Command, Option } from 'commander'
import { openAdminClient } from './admin-client.ts'
import { messagePath } from './message-json.ts'
import { FORMATS, type Format, print } from './print.ts'
import { type Trace, waterfall } from './trace-waterfall.ts'

const USUAL_WIDTH = 80

export function addTraceCommand(program: Command): void {
  program
    .command('trace')
    .description(
      'Show the way of one message as a waterfall: outbox, topic, every attempt with its phases, projection.',
    )
    .argument('<message-id>', 'id of the message')
    .addOption(
      new Option('--format <format>', 'how to print; json is the body of the API').choices(FORMATS).default('table'),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ postrider trace 019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f
  $ postrider trace 019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f --format json | jq '.spans[] | select(.error)'

As wide as the terminal, else 80 columns; in color only on a terminal, and not where NO_COLOR is set.`,
    )
    .action(async (id: string, { format }: { format: Format }) => {
      const { body } = await (await openAdminClient(process.env)).get(messagePath(id, '/trace'))
      print(body, format, () => waterfall(body as Trace, terminal()))
    })
}

function terminal() {
  const { isTTY, columns } = process.stdout
  return { width: columns || USUAL_WIDTH, hasColor: isTTY === true && !process.env.NO_COLOR }
}
