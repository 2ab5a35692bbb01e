import type { Command } from 'commander'
import { messageOf } from '#libs/errors'
import { openAdminClient } from './admin-client.ts'
import { addGroup } from './command-group.ts'
import { outputFormatOption } from './output-format.ts'
import { embedInOperations, type Operation, operationsOf, readOperations, withOperations } from './patch-operations.ts'
import { chooseProject, type ProjectOptions, takesProject, withProject } from './project-choice.ts'
import { type ChangedConfig, type OutputOptions, printChange } from './project-output.ts'
import { readSource } from './read-source.ts'
import { collect } from './update-command.ts'

interface PatchOptions extends ProjectOptions, OutputOptions {
  readonly file?: readonly string[]
  readonly add?: readonly string[]
  readonly replace?: readonly string[]
  readonly remove?: readonly string[]
}

const append = (argument: string, earlier: readonly string[] = []): string[] => [...earlier, argument]

export function addPatchCommand(program: Command): void {
  const group = addGroup(program, 'patch', 'Change parts of an identity configuration.')
  takesProject(group.command('identity-config'))
    .aliases(['ic', 'kratos-config'])
    .description('Change parts of a project’s identity configuration by JSON Patch; all of it is done, or nothing.')
    .option('-f, --file <source>', 'list of operations (RFC 6902) in JSON or YAML; sources as for update', collect)
    .option('--add <pointer=json>', 'add a value; may be given several times, as the others', append)
    .option('--replace <pointer=json>', 'replace a value', append)
    .option('--remove <pointer>', 'remove a value', append)
    .addOption(outputFormatOption())
    .option('-q, --quiet', 'print nothing but errors')
    .option('-y, --yes', 'accepted: nothing is asked')
    .addHelpText(
      'after',
      `
Examples:
  $ ory patch identity-config my-project --replace '/courier/delivery_strategy="http"'
  $ ory patch identity-config --project my-project --add '/courier/smtp={"from_name":"Ada"}' --remove '/courier/http'
  $ ory patch identity-config my-project --replace '/courier/http/request_config/body="file://./body.jsonnet"'
  $ ory patch identity-config my-project --file operations.yaml

Order: files, add, replace, remove. What follows the first = is JSON, so a text stands in double quotes. Values
file://… are replaced by the content of the file.`,
    )
    .action(patchConfig)
}

async function patchConfig(id: string | undefined, options: PatchOptions, command: Command): Promise<void> {
  const project = await chooseProject(id, options, command)
  const named = argumentsOf(options, command).map((operation) => ({
    operation,
    given: `--${operation.op} ${operation.path}`,
  }))
  const all = [...(await operationsIn(options.file ?? [])), ...named]
  const operations = await embedInOperations(all.map(({ operation }) => operation))
  const client = await openAdminClient(process.env)
  const { body } = await withProject(project, () =>
    client.send('PATCH', `${project.path}/identity-config`, operations).catch((error: unknown) => {
      throw withOperations(
        error,
        all.map(({ given }) => given),
      )
    }),
  )
  printChange(body as ChangedConfig, options, 'Project updated successfully!')
}

/** Ends the command as wrong usage where they are not of the form. */
function argumentsOf(options: PatchOptions, command: Command): Operation[] {
  if (!options.file && !options.add && !options.replace && !options.remove)
    command.error('error: at least one of --file, --add, --replace, or --remove must be set')
  try {
    return operationsOf(options)
  } catch (error) {
    return command.error(`error: ${messageOf(error)}`)
  }
}

interface GivenOperation {
  readonly operation: Operation
  /** As whoever gave it knows it. */
  readonly given: string
}

async function operationsIn(files: readonly string[]): Promise<GivenOperation[]> {
  const operations: GivenOperation[] = []
  for (const file of files) {
    const source = await readSource(file)
    for (const [index, operation] of readOperations(source).entries())
      operations.push({ operation, given: `${source.name}: operation ${index} (${operation.op} ${operation.path})` })
  }
  return operations
}
