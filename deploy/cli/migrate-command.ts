import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'

const MIGRATE = fileURLToPath(new URL('../../db/migrate.ts', import.meta.url))

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('Bring database and topics to this version (DATABASE_URL, KAFKA_BROKERS).')
    .addHelpText('after', '\nExamples:\n  $ DATABASE_URL=postgres://… KAFKA_BROKERS=kafka:9092 postrider migrate')
    .action(async () => {
      const child = spawn(process.execPath, [...process.execArgv, MIGRATE], { stdio: 'inherit' })
      const [code] = (await once(child, 'exit')) as [number | null]
      process.exitCode = code ?? 1
    })
}
