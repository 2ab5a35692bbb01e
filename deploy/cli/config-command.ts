import type { Command } from 'commander'
import { type Config, ignoredKeys, loadConfig } from '#libs/config'
import { toldProblem } from '#libs/templates'
import { addGroup } from './command-group.ts'

export function addConfigCommand(program: Command): void {
  addGroup(program, 'config', 'Look at the configuration.')
    .command('check')
    .description(
      'Check configuration file, environment, and the templates and payloads they name; every mistake is told with its place.',
    )
    .argument('[file]', 'configuration file (default: POSTRIDER_CONFIG, else ./postrider.yaml where present)')
    .addHelpText('after', '\nExamples:\n  $ postrider config check\n  $ postrider config check kratos.yml')
    .action(async (file: string | undefined) => {
      const config = loadConfig({ env: process.env, ...(file !== undefined && { file }) })
      const ignored = ignoredKeys(config)
      if (ignored.length > 0) console.error(`ignored, since they are not for Postrider: ${ignored.join(', ')}`)
      for (const warning of warningsOf(config)) console.error(`warning: ${warning}`)
      const areSound = [await areTemplatesSound(config), await arePayloadsSound(config)]
      if (areSound.every(Boolean)) console.error('configuration is valid')
      else process.exitCode = 1
    })
}

/** Prints what is wrong with templates of one's own. */
async function areTemplatesSound(config: Config): Promise<boolean> {
  // Loaded only here: no other command needs an engine for templates.
  const { checkTemplates } = await import('./check-templates.ts')
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
function warningsOf({ courier, dev, secrets }: Config): string[] {
  const warnings: string[] = []
  const uri = courier.smtp.connection_uri
  const target = uri === undefined ? null : URL.parse(uri)
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(target?.hostname ?? '')
  if (target?.searchParams.get('disable_starttls') === 'true' && !isLocal) {
    warnings.push('courier.smtp.connection_uri: disable_starttls=true sends credentials and codes in clear')
  }
  if (target?.searchParams.get('skip_ssl_verify') === 'true' && !isLocal) {
    warnings.push('courier.smtp.connection_uri: skip_ssl_verify=true accepts any server that pretends to be yours')
  }
  for (const [key, auth] of httpTargets(courier)) {
    if (auth === undefined)
      warnings.push(`${key}.request_config.auth: not set; whoever finds the URL can send in your name`)
  }
  if (dev) warnings.push('dev: true shows subjects and bodies in the admin API')
  if (secrets.cipher.length === 0)
    warnings.push('secrets.cipher: not set; only `postrider up` makes a secret of its own')
  return warnings
}

/** Authentication of each HTTP target in use, by its key. */
function httpTargets({ delivery_strategy, http, channels }: Config['courier']): [key: string, auth: unknown][] {
  const own = channels.map(({ id, request_config }): [string, unknown] => [
    `courier.channels (${id})`,
    request_config.auth,
  ])
  return delivery_strategy === 'http' ? [['courier.http', http.request_config?.auth], ...own] : own
}
