import type { Command } from 'commander'
import { openAdminClient } from './admin-client.ts'
import { addGroup } from './command-group.ts'
import { isRecord, type Mapping, merged, type Source } from './document.ts'
import { embedFiles } from './embed-files.ts'
import { outputFormatOption } from './output-format.ts'
import { parseConfiguration } from './parse-document.ts'
import { chooseProject, type ProjectOptions, takesProject, withProject } from './project-choice.ts'
import { type ChangedConfig, type OutputOptions, type Project, printChange, printProject } from './project-output.ts'
import { readSource, readStdin, splitSources } from './read-source.ts'

interface UpdateOptions extends ProjectOptions, OutputOptions {
  readonly file?: readonly string[]
}

export function addUpdateCommand(program: Command): void {
  const group = addGroup(program, 'update', 'Set the identity configuration of a project, or its name.')
  takesProject(group.command('identity-config'))
    .aliases(['ic', 'kratos-config'])
    .description('Replace the identity configuration of a project by that of one or more files, or of stdin.')
    .option('-f, --file <source>', 'path, file://, http(s)://, base64:// or -; may be given several times', collect)
    .addOption(outputFormatOption())
    .option('-q, --quiet', 'print nothing but errors')
    .option('-y, --yes', 'accepted: nothing is asked')
    .addHelpText(
      'after',
      `
Examples:
  $ ory update identity-config 4a5e4a1c-7d0b-4c3e-9f77-0f1d3a8d3b52 --file updated_config.yaml
  $ ory update identity-config --project my-project --file base.yaml --file production.json
  $ ory get identity-config my-project --format json | jq '.courier.delivery_strategy = "http"' | ory update identity-config my-project

Files are YAML or JSON, also a whole kratos.yml: what is not for Postrider is ignored and told. Of several, mappings
merge, lists are appended, and else the last one holds. Values file://… are replaced by the content of the file; a
relative path is one of the working directory. Masked secrets, as get prints them, are kept.`,
    )
    .action(updateConfig)
  takesProject(group.command('project'))
    .description('Change the name of a project.')
    .requiredOption('-n, --name <name>', 'the new name')
    .addOption(outputFormatOption())
    .option('-q, --quiet', 'print the id only')
    .option('-y, --yes', 'accepted: nothing is asked')
    .addHelpText('after', '\nExamples:\n  $ postrider update project my-project --name "My project"')
    .action(renameProject)
}

/** Adds what one `--file` names to those before. */
export function collect(argument: string, earlier: readonly string[] = []): string[] {
  return [...earlier, ...splitSources(argument)]
}

async function updateConfig(id: string | undefined, options: UpdateOptions, command: Command): Promise<void> {
  const project = await chooseProject(id, options, command)
  const config = await readConfiguration(options.file)
  const client = await openAdminClient(process.env)
  const { body } = await withProject(project, () => client.send('PUT', `${project.path}/identity-config`, config))
  printChange(body as ChangedConfig, options, 'Project updated successfully!')
}

async function renameProject(
  id: string | undefined,
  { name, ...options }: ProjectOptions & OutputOptions & { readonly name: string },
  command: Command,
): Promise<void> {
  const project = await chooseProject(id, options, command)
  const client = await openAdminClient(process.env)
  const { body } = await withProject(project, () => client.send('PATCH', project.path, { name }))
  if (!options.quiet) console.error('Project updated successfully!')
  printProject(body as Project, options)
}

async function readConfiguration(files: readonly string[] = []): Promise<Mapping> {
  let config: unknown = {}
  // One after the other: the order decides, and stdin can only be read once.
  for (const source of files.length === 0 ? [await readStdin()] : await readAll(files)) {
    config = merged(config, await embedFiles(parseConfiguration(source), source.name))
  }
  return isRecord(config) ? config : {}
}

async function readAll(files: readonly string[]): Promise<Source[]> {
  const sources: Source[] = []
  for (const file of files) sources.push(await readSource(file))
  return sources
}
