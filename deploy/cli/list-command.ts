import type { Command } from 'commander'
import { openAdminClient } from './admin-client.ts'
import { addGroup } from './command-group.ts'
import { outputFormatOption } from './output-format.ts'
import { tableOf } from './print.ts'
import {
  chooseProject,
  noteWorkspace,
  type ProjectOptions,
  takesProject,
  takesWorkspace,
  withProject,
} from './project-choice.ts'
import { type OutputOptions, type Project, printProjects } from './project-output.ts'

interface Revision {
  readonly number: number
  readonly author: string
  readonly created_at: string
}

export function addListCommand(program: Command): void {
  const group = addGroup(program, 'list', 'List projects, or the revisions of a configuration.')
  takesWorkspace(group.command('projects'))
    .description('List all projects.')
    .addOption(outputFormatOption())
    .option('-q, --quiet', 'ids only, one per line')
    .addHelpText(
      'after',
      `
Examples:
  $ ory list projects
  $ ory list projects -q
  $ ory list projects --format json-pretty
  $ ory list projects --format jsonpath=#.slug`,
    )
    .action(async ({ workspace, ...output }: ProjectOptions & OutputOptions) => {
      noteWorkspace(workspace)
      const { body } = await (await openAdminClient(process.env)).get('projects')
      printProjects(body as Project[], output)
    })
  takesProject(group.command('revisions'))
    .description('List the revisions of a project’s configuration, newest first: who made them, and when.')
    .addOption(outputFormatOption())
    .option('-q, --quiet', 'numbers only, one per line')
    .addHelpText(
      'after',
      '\nExamples:\n  $ postrider list revisions\n  $ postrider list revisions my-project --format yaml',
    )
    .action(async (id: string | undefined, options: ProjectOptions & OutputOptions, command: Command) => {
      const project = await chooseProject(id, options, command)
      const client = await openAdminClient(process.env)
      const { body } = await withProject(project, () => client.get(`${project.path}/revisions`))
      printRevisions(body as Revision[], options)
    })
}

function printRevisions(revisions: readonly Revision[], { format, quiet }: OutputOptions): void {
  const rows = revisions.map(({ number, author, created_at: at }) => [String(number), author, at])
  const text = quiet
    ? revisions.map(({ number }) => `${number}\n`).join('')
    : format(revisions, () => tableOf(['REVISION', 'AUTHOR', 'CREATED'], rows))
  process.stdout.write(text)
}
