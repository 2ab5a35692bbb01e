/** Runs the command line as a user does, and waits for its end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../deploy/cli/main.ts', import.meta.url))
/** What npm links as `postrider` and `ory`. */
export const EXECUTABLE = fileURLToPath(new URL('../../../deploy/cli/postrider.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Piped in; without it there is nothing to read. */
  readonly stdin?: string
  /** @default main.ts, which the executables start */
  readonly script?: string
}

export async function runCli(
  args: readonly string[],
  { cwd, env, stdin, script = MAIN }: RunOptions = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', POSTRIDER_HOME: '/nonexistent', ...env },
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    output.stderr += chunk
  })
  child.stdin?.end(stdin)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...output }
}
