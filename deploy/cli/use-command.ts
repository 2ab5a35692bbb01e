import type { Command } from 'commander'
import { type AdminClient, openAdminClient } from './admin-client.ts'
import { statePath, writeSelectedProject } from './cli-state.ts'
import { addGroup } from './command-group.ts'
import { outputFormatOption } from './output-format.ts'
import { chooseProject, type ProjectOptions, takesProject, withProject } from './project-choice.ts'
import { type OutputOptions, type Project, printProject } from './project-output.ts'

export function addUseCommand(program: Command): void {
  const group = addGroup(program, 'use', 'Choose what later commands are about.')
  takesProject(group.command('project'))
    .description('Make a project the default one; without an id, show the one that is.')
    .addOption(outputFormatOption())
    .option('-q, --quiet', 'print the id only')
    .addHelpText(
      'after',
      `
Examples:
  $ ory use project 4a5e4a1c-7d0b-4c3e-9f77-0f1d3a8d3b52
  $ ory use project --format json

Kept in cli.json of POSTRIDER_HOME, or in the file that ORY_CONFIG_PATH names. --project and ORY_PROJECT go first.`,
    )
    .action(async (id: string | undefined, options: ProjectOptions & OutputOptions, command: Command) => {
      const choice = await chooseProject(id, options, command)
      const client = await openAdminClient(process.env)
      const project = await withProject(choice, async () => (await client.get(choice.path)).body as Project)
      if (id !== undefined || options.project !== undefined) await useProject(project, options)
      printProject(project, options)
    })
}

export function addCreateCommand(program: Command): void {
  const group = addGroup(program, 'create', 'Create a project.')
  group
    .command('project')
    .description('Create a project with an empty configuration.')
    .requiredOption('-n, --name <name>', 'its name')
    .option('--slug <slug>', 'short name for addresses: a-z, 0-9 and - (default: made from the name)')
    .option('--use-project', 'make it the default project')
    .option('--workspace <id>', 'accepted and ignored: there are no workspaces here')
    .option('-e, --environment <environment>', 'accepted and ignored: every project is of one kind')
    .addOption(outputFormatOption())
    .option('-q, --quiet', 'print the id only')
    .option('-y, --yes', 'accepted: nothing is asked')
    .addHelpText(
      'after',
      '\nExamples:\n  $ ory create project --name "Shop" --slug shop --use-project\n  $ ory create project --name "Shop" -q',
    )
    .action(createProject)
}

interface CreateOptions extends OutputOptions {
  readonly name: string
  readonly slug?: string
  readonly useProject?: true
}

async function createProject({ name, slug, useProject: isDefault, ...options }: CreateOptions): Promise<void> {
  const client: AdminClient = await openAdminClient(process.env)
  const { body } = await client.send('POST', 'projects', { name, ...(slug !== undefined && { slug }) })
  if (!options.quiet) console.error('Project created successfully!')
  if (isDefault) await useProject(body as Project, options)
  printProject(body as Project, options)
}

async function useProject({ id, slug }: Project, { quiet }: OutputOptions): Promise<void> {
  await writeSelectedProject(process.env, id)
  if (!quiet) console.error(`${slug} is the default project now: kept in ${statePath(process.env)}`)
}
