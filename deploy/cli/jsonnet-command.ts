import { type Command, Option } from 'commander'
import { CHANNELS, type ChannelId, TEMPLATE_TYPES } from '#libs/messages'
import { addGroup } from './command-group.ts'

interface EvalOptions {
  readonly templateType: string
  readonly channel: ChannelId
  readonly ctx?: string
}

export function addJsonnetCommand(program: Command): void {
  const group = addGroup(program, 'jsonnet', 'Check and try the Jsonnet that makes the body of an HTTP request.')
  group
    .command('lint')
    .description('Look for mistakes; each is printed as file:line:column, and then the command exits 1.')
    .argument('<file...>', 'Jsonnet files, or patterns such as "templates/*.jsonnet"')
    .addHelpText(
      'after',
      '\nExamples:\n  $ postrider jsonnet lint body.jsonnet\n  $ postrider jsonnet lint "templates/**/*.jsonnet"',
    )
    .action(async (patterns: string[]) => {
      const { lintFiles } = await import('./jsonnet-lint.ts')
      process.exitCode = (await lintFiles(patterns)) === 0 ? 0 : 1
    })
  addFormat(group)
  addEval(group)
}

function addFormat(group: Command): void {
  group
    .command('format')
    .description('Print files in the usual form.')
    .argument('<file...>', 'Jsonnet files, or patterns such as "templates/*.jsonnet"')
    .option('-w, --write', 'change the files instead')
    .addOption(new Option('--check', 'list files in another form and exit 1').conflicts('write'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ postrider jsonnet format body.jsonnet\n  $ postrider jsonnet format --write "templates/*.jsonnet"\n  $ postrider jsonnet format --check "templates/*.jsonnet"',
    )
    .action(async (patterns: string[], options: { write?: true; check?: true }) => {
      const { formatFiles } = await import('./jsonnet-format.ts')
      process.exitCode = (await formatFiles(patterns, options)) ? 0 : 1
    })
}

function addEval(group: Command): void {
  group
    .command('eval')
    .description('Print the body that a template makes of a sample message, or of a context of your own.')
    .argument('[file]', 'Jsonnet file (default: the body that is sent when none is configured)')
    .addOption(
      new Option('--template-type <type>', 'type of the message')
        .choices(TEMPLATE_TYPES)
        .default('recovery_code_valid'),
    )
    .addOption(new Option('--channel <channel>', 'email or sms').choices(CHANNELS).default('email'))
    .option('--ctx <file>', 'JSON file to use as ctx instead of a sample')
    .addHelpText(
      'after',
      `
Examples:
  $ postrider jsonnet eval body.jsonnet
  $ postrider jsonnet eval body.jsonnet --template-type login_code_valid --channel sms
  $ postrider jsonnet eval body.jsonnet --ctx message.json

What ctx.template_data holds for each type: postrider templates fields`,
    )
    .action(async (file: string | undefined, options: EvalOptions) => {
      const { evaluateFile } = await import('./jsonnet-eval.ts')
      await evaluateFile(file, options)
    })
}
