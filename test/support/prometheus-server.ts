/** A Prometheus of one test, which scrapes every second. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, waitFor } from './servers.ts'
import { openTestHome } from './test-servers.ts'

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
}

export interface PrometheusServer extends AsyncDisposable {
  /** @throws with Prometheus' own words where it does not take the expression */
  readonly query: (expr: string) => Promise<readonly Sample[]>
  /** `data` of the answer. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a user's script would
  readonly get: (path: string) => Promise<any>
}

export interface PrometheusOptions {
  readonly binary: string
  /** By service: `host:port`. */
  readonly targets: Readonly<Record<string, string>>
  readonly ruleFiles: readonly string[]
}

export async function openPrometheus({ binary, targets, ruleFiles }: PrometheusOptions): Promise<PrometheusServer> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await openTestHome()).path
  const port = await freePort()
  const file = join(folder, 'prometheus.json') // YAML too
  const static_configs = Object.entries(targets).map(([service, target]) => ({
    targets: [target],
    labels: { service },
  }))
  const settings = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: [{ job_name: 'postrider', static_configs }],
  }
  await writeFile(file, JSON.stringify(settings))
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, 'data')}`]
  const child = spawn(binary, [...args, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  stack.defer(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })

  const url = `http://127.0.0.1:${port}`
  await waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error('it has ended')
      return (await fetch(`${url}/-/ready`)).ok
    },
    { timeoutMs: 20_000, message: () => `Prometheus is not ready:\n${log}` },
  )
  const get = async (path: string) => {
    const response = await fetch(`${url}/api/v1/${path}`)
    const { status, data, error } = (await response.json()) as { status: string; data?: unknown; error?: string }
    if (status !== 'success') throw new Error(`${path}: ${error}`)
    return data
  }
  const owned = stack.move()
  return {
    get,
    query: async (expr) => ((await get(`query?query=${encodeURIComponent(expr)}`)) as { result: Sample[] }).result,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
