import { type Command, Option } from 'commander'
import type { Check } from './doctor/check.ts'
import { FORMATS, type Format, print, tableOf } from './print.ts'

interface DoctorOptions {
  readonly project: string
  readonly domain?: string
  readonly dkimSelector: readonly string[]
  readonly format: Format
}

const DEFAULT_PROJECT = 'default'

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Look for what is wrong: database, Kafka, services, mail provider, DNS; each with its remedy.')
    .option('--project <project>', 'whose provider and sender; id or slug', process.env.ORY_PROJECT || DEFAULT_PROJECT)
    .option('--domain <domain>', 'look at the DNS of this one, not of the sender’s address')
    .option('--dkim-selector <selector>', 'of DKIM, again for each further one (default: common ones)', andAnother, [])
    .addOption(new Option('--format <format>', 'how to print').choices(FORMATS).default('table'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider doctor
  $ postrider doctor --project shop --dkim-selector s1
  $ postrider doctor --format json | jq '.[] | select(.status == "fail")'
  $ POSTRIDER_DNS=1.1.1.1 postrider doctor --domain example.org

Nothing is changed and no mail is sent. Servers are found by DATABASE_URL, KAFKA_BROKERS and the configuration, else they are
those of the running postrider up; the console by POSTRIDER_URL. Exit 1 where a check fails; a warning is none.`,
    )
    .action(async ({ project, domain, dkimSelector, format }: DoctorOptions) => {
      const { runDoctor } = await import('./doctor/run-doctor.ts')
      const options = { project, selectors: dkimSelector, env: process.env, ...(domain !== undefined && { domain }) }
      const checks = await runDoctor(options)
      print(checks, format, () => checkTable(checks))
      if (checks.some(({ status }) => status === 'fail')) process.exitCode = 1
    })
}

/** A line per check, and below it the remedy. */
function checkTable(checks: readonly Check[]): string {
  const rows = checks.map(({ status, check, detail }) => [status, check, detail])
  const [head = '', ...lines] = tableOf(['STATUS', 'CHECK', 'DETAIL'], rows).split('\n')
  const told = lines.flatMap((line, index) => {
    const remedy = checks[index]?.remedy
    return remedy === undefined ? [line] : [line, `        → ${remedy}`]
  })
  const count = (status: Check['status']): number => checks.filter((each) => each.status === status).length
  const sum = `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failed, ${count('skip')} skipped`
  return [head, ...told, '', sum].join('\n')
}

function andAnother(selector: string, selectors: readonly string[]): string[] {
  return [...selectors, selector]
}
