import type { Command } from 'commander'
import { openAdminClient } from './admin-client.ts'
import { addGroup } from './command-group.ts'
import { outputFormatOption } from './output-format.ts'
import { chooseProject, type ProjectOptions, takesProject, withProject } from './project-choice.ts'
import { type OutputOptions, type Project, printConfig, printProject } from './project-output.ts'

export function addGetCommand(program: Command): void {
  const group = addGroup(program, 'get', 'Get a project or its identity configuration.')
  takesProject(group.command('project'))
    .description('Show a project.')
    .addOption(outputFormatOption())
    .option('-q, --quiet', 'the id only')
    .addHelpText(
      'after',
      '\nExamples:\n  $ ory get project my-project\n  $ ory get project my-project --format jsonpath=id',
    )
    .action(async (id: string | undefined, options: ProjectOptions & OutputOptions, command: Command) => {
      printProject((await fetchBelow('', id, options, command)) as Project, options)
    })
  takesProject(group.command('identity-config'))
    .aliases(['ic', 'kratos-config'])
    .description('Print the identity configuration of a project. Secrets are masked; a masked one sent back is kept.')
    .addOption(outputFormatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ ory get identity-config 4a5e4a1c-7d0b-4c3e-9f77-0f1d3a8d3b52 --format yaml > identity-config.yaml
  $ ory get identity-config --project my-project --format json-pretty
  $ ory get identity-config my-project --format jsonpath=courier.delivery_strategy
  $ ory get identity-config my-project --format jsonpointer=/courier/http/request_config/url

The default format is yaml.`,
    )
    .action(async (id: string | undefined, options: ProjectOptions & OutputOptions, command: Command) => {
      printConfig(await fetchBelow('/identity-config', id, options, command), options.format)
    })
}

async function fetchBelow(
  suffix: string,
  id: string | undefined,
  options: ProjectOptions,
  command: Command,
): Promise<unknown> {
  const project = await chooseProject(id, options, command)
  const client = await openAdminClient(process.env)
  return (await withProject(project, () => client.get(`${project.path}${suffix}`))).body
}
