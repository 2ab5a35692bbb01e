/** Commands for the history of a configuration. */
import { type Command, InvalidArgumentError } from 'commander'
import { openAdminClient } from './admin-client.ts'
import { addGroup } from './command-group.ts'
import { outputFormatOption } from './output-format.ts'
import { chooseProject, type ProjectOptions, takesProject, withProject } from './project-choice.ts'
import { type ChangedConfig, type OutputOptions, type Project, printChange } from './project-output.ts'

interface Difference {
  readonly from: number
  readonly to: number
  readonly changes: readonly Change[]
}

/** No `before`: added; no `after`: removed. */
interface Change {
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

interface DiffOptions extends ProjectOptions, OutputOptions {
  readonly from?: number
  readonly to?: number
}

interface RollbackOptions extends ProjectOptions, OutputOptions {
  readonly revision: number
}

const MOST_CHARACTERS = 80

export function addDiffCommand(program: Command): void {
  const group = addGroup(program, 'diff', 'Compare revisions.')
  takesProject(group.command('identity-config'))
    .aliases(['ic', 'kratos-config'])
    .description('Show what differs between two revisions of a project’s identity configuration. Secrets are masked.')
    .option('--from <revision>', 'the older one (default: the one before --to)', revisionNumber)
    .option('--to <revision>', 'the newer one (default: the newest)', revisionNumber)
    .addOption(outputFormatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ postrider diff identity-config
  $ postrider diff identity-config my-project --from 3 --to 5 --format json-pretty`,
    )
    .action(diffConfig)
}

export function addRollbackCommand(program: Command): void {
  const group = addGroup(program, 'rollback', 'Go back to an earlier revision.')
  takesProject(group.command('identity-config'))
    .aliases(['ic', 'kratos-config'])
    .description('Make an earlier identity configuration, with its secrets, the newest revision.')
    .requiredOption('--revision <revision>', 'the one to go back to; list revisions shows them', revisionNumber)
    .addOption(outputFormatOption())
    .option('-q, --quiet', 'print nothing but errors')
    .option('-y, --yes', 'accepted: nothing is asked')
    .addHelpText('after', '\nExamples:\n  $ postrider rollback identity-config my-project --revision 3')
    .action(rollBackConfig)
}

/** One line per change, `+` added, `-` removed, `~` changed; long values are cut. */
export function differenceText({ from, to, changes }: Difference): string {
  if (changes.length === 0) return `no difference between revision ${from} and ${to}`
  return [`revision ${from} → ${to}`, ...changes.map(changeLine)].join('\n')
}

async function diffConfig(id: string | undefined, options: DiffOptions, command: Command): Promise<void> {
  const project = await chooseProject(id, options, command)
  const client = await openAdminClient(process.env)
  const difference = await withProject(project, async () => {
    const to = options.to ?? ((await client.get(project.path)).body as Project).revision
    const from = options.from ?? Math.max(to - 1, 0)
    return (await client.get(`${project.path}/revisions/${to}/diff?from=${from}`)).body as Difference
  })
  process.stdout.write(options.format(difference, () => differenceText(difference)))
}

async function rollBackConfig(id: string | undefined, options: RollbackOptions, command: Command): Promise<void> {
  const project = await chooseProject(id, options, command)
  const { revision } = options
  const client = await openAdminClient(process.env)
  const { body } = await withProject(project, () => client.send('POST', `${project.path}/rollback`, { revision }))
  const change = body as ChangedConfig
  printChange(change, options, `Rolled back to revision ${revision}, which is revision ${change.revision} now.`)
}

function changeLine({ path, before, after }: Change): string {
  if (before === undefined) return `+ ${path}: ${shown(after)}`
  return after === undefined ? `- ${path}: ${shown(before)}` : `~ ${path}: ${shown(before)} → ${shown(after)}`
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}

function revisionNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a number of a revision.')
  return value
}
