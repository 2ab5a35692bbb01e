import type { Command } from 'commander'
import type { Config } from '#libs/config'
import { addGroup } from './command-group.ts'

export function addConfigCommand(program: Command): void {
  addGroup(program, 'config', 'Look at the configuration.')
    .command('check')
    .description(
      'Check configuration file, environment, and the templates and payloads they name; every mistake is told with its place.',
    )
    .argument(
      '[file...]',
      'configuration files, later ones over earlier ones (default: POSTRIDER_CONFIG, else ./postrider.yaml where present)',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ postrider config check\n  $ postrider config check kratos.yml\n  $ postrider config check kratos.yml postrider.yaml',
    )
    .action(async (files: readonly string[]) => {
      const { ignoredKeys, loadConfig } = await import('#libs/config')
      const config = loadConfig({ env: process.env, ...(files.length > 0 && { file: files }) })
      const ignored = ignoredKeys(config)
      if (ignored.length > 0) console.error(`ignored, since they are not for Postrider: ${ignored.join(', ')}`)
      for (const warning of await warningsOf(config)) console.error(`warning: ${warning}`)
      const areSound = [await areTargetsSound(config), await areTemplatesSound(config), await arePayloadsSound(config)]
      if (areSound.every(Boolean)) console.error('configuration is valid')
      else process.exitCode = 1
    })
}

/** Prints what is wrong with the URIs of mail servers. */
async function areTargetsSound(config: Config): Promise<boolean> {
  const { checkTargets } = await import('./check-targets.ts')
  const problems = checkTargets(config)
  for (const problem of problems) console.error(`target: ${problem}`)
  return problems.length === 0
}

/** Prints what is wrong with templates of one's own. */
async function areTemplatesSound(config: Config): Promise<boolean> {
  // Loaded only here: no other command needs an engine for templates.
  const { checkTemplates } = await import('./check-templates.ts')
  const { toldProblem } = await import('#libs/templates')
  const problems = await checkTemplates(config)
  for (const problem of problems) console.error(`template: ${toldProblem(problem)}`)
  return problems.length === 0
}

/** Prints what is wrong with requests and with the Jsonnet of their bodies. */
async function arePayloadsSound(config: Config): Promise<boolean> {
  const { checkPayloads } = await import('./check-payloads.ts')
  const problems = await checkPayloads(config)
  for (const problem of problems) console.error(`payload: ${problem}`)
  return problems.length === 0
}

/** What works and is not advisable. */
async function warningsOf(config: Config): Promise<string[]> {
  const { deliveryWarnings } = await import('#libs/config')
  const warnings = deliveryWarnings(config)
  if (config.dev) warnings.push('dev: true shows subjects and bodies in the admin API')
  if (config.secrets.cipher.length === 0)
    warnings.push('secrets.cipher: not set; only `postrider up` makes a secret of its own')
  return warnings
}
