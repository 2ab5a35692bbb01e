/** A shell as a reader of the documents has it beside a running system: its own folder, `npx`, `postrider` and `ory` on the path. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { System } from './system.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'deploy/cli/main.ts')
const PAYLOAD = 'function(ctx) { to: ctx.recipient, text: ctx.body }\n'

export interface Typed {
  readonly code: number | null
  /** Messages last. */
  readonly output: string
}

export interface ReaderShell {
  readonly folder: string
  readonly type: (command: string, env?: Readonly<Record<string, string>>) => Promise<Typed>
}

/** @param secret `secrets.cipher` of the system */
export async function openReaderShell(system: System, secret: string): Promise<ReaderShell> {
  const folder = join(system.home, 'reader')
  const commands = join(folder, 'bin')
  await mkdir(commands, { recursive: true })
  await mkdir(join(folder, 'templates'))
  for (const name of ['npx', 'postrider', 'ory']) {
    const itself = name === 'npx' ? 'POSTRIDER_COMMAND=$1; shift' : `POSTRIDER_COMMAND=${name}`
    const script = `#!/bin/sh\n${itself}\nexport POSTRIDER_COMMAND\nexec ${process.execPath} ${MAIN} "$@"\n`
    await writeFile(join(commands, name), script, { mode: 0o755 })
  }
  for (const name of ['body.jsonnet', 'sms.jsonnet']) await writeFile(join(folder, name), PAYLOAD)
  await copyFile(join(ROOT, 'test/libs/config/kratos-parity/kratos.yml'), join(folder, 'kratos.yml'))
  const usual = {
    PATH: [commands, dirname(process.execPath), process.env.PATH].join(':'),
    POSTRIDER_HOME: system.home,
    DATABASE_URL: system.databaseUrl,
    KAFKA_BROKERS: system.brokers,
    POSTRIDER_KAFKA_TOPIC_PREFIX: system.topicPrefix,
    POSTRIDER_KAFKA_REPLICATION: '1',
    SECRETS_CIPHER: secret,
  }

  return {
    folder,
    type: async (command, env = {}) => {
      const child = spawn('bash', ['-eu', '-o', 'pipefail', '-c', command], {
        cwd: folder,
        env: { ...usual, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [printed, told]: [string[], string[]] = [[], []]
      child.stdout.on('data', (chunk) => printed.push(String(chunk)))
      child.stderr.on('data', (chunk) => told.push(String(chunk)))
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, output: [...printed, ...told].join('') }
    },
  }
}
