/** Zipkin's own server, in memory: a trace backend as operators run it. Its jar is fetched once by Maven into .cache/zipkin. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureFolder, folderOf } from '../../deploy/local/cached-folder.ts'
import { findJava, findMaven } from '../../deploy/local/java-tools.ts'
import { ensurePackagedJava } from '../../deploy/local/packaged-java.ts'
import { ensurePackagedMaven } from '../../deploy/local/packaged-maven.ts'
import { freePort, waitFor } from './servers.ts'

const run = promisify(execFile)
const POM = join(import.meta.dirname, 'zipkin-server.pom.xml')
const JAR = 'zipkin-server-3.5.1-exec.jar'
const READY_MS = 120_000

export interface ZipkinSpan {
  readonly traceId: string
  readonly id: string
  readonly parentId?: string
  readonly name: string
  readonly kind?: string
  /** Microseconds. */
  readonly timestamp: number
  readonly duration?: number
  readonly localEndpoint?: { readonly serviceName?: string }
  readonly annotations?: readonly { readonly value: string }[]
  readonly tags?: Readonly<Record<string, string>>
}

export interface ZipkinServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** Empty where there is none. */
  readonly trace: (traceId: string) => Promise<ZipkinSpan[]>
  /** Trace ids of the traces with a span that has the tag. */
  readonly tracesWith: (tag: string, value: string) => Promise<string[]>
}

export async function openZipkinServer(): Promise<ZipkinServer> {
  const java = await findJava(process.env, () => ensurePackagedJava(log))
  const jar = join(await ensureJar(java), JAR)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const listen = ['ip=127.0.0.1', `port=${port}`, 'protocols[0]=http'].map((option) => `--armeria.ports[0].${option}`)
  // Compiled little and collected simply: it lives for a minute.
  const options = ['-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dlogging.level.root=WARN']
  const child = spawn(java, [...options, '-jar', jar, ...listen], { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = `${output}${chunk}`))
  const dispose = async () => {
    process.off('exit', kill)
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    kill()
    await ended
  }
  try {
    await waitFor(async () => child.exitCode !== null || (await fetch(`${url}/health`)).ok, {
      timeoutMs: READY_MS,
      message: () => `Zipkin is not ready:\n${output}`,
    })
    if (child.exitCode !== null) throw new Error(`Zipkin ended with ${child.exitCode}:\n${output}`)
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    url,
    trace: async (traceId) => {
      const response = await fetch(`${url}/api/v2/trace/${traceId}`)
      return response.ok ? ((await response.json()) as ZipkinSpan[]) : []
    },
    tracesWith: async (tag, value) => {
      const query = new URLSearchParams({ annotationQuery: `${tag}=${value}`, limit: '100' })
      const traces = (await (await fetch(`${url}/api/v2/traces?${query}`)).json()) as ZipkinSpan[][]
      return [...new Set(traces.flatMap((spans) => spans.map(({ traceId }) => traceId)))]
    },
    [Symbol.asyncDispose]: dispose,
  }
}

/** @returns the folder that has it */
async function ensureJar(java: string): Promise<string> {
  const folder = await folderOf('zipkin', POM)
  await ensureFolder(folder, async (next) => {
    const { file, args, env, copyGoal } = await findMaven(process.env, java, () => ensurePackagedMaven(log))
    log('Zipkin: fetching its server by Maven (first time, 131 MB)…')
    const goal = [copyGoal, '-DincludeScope=runtime', `-DoutputDirectory=${next}`]
    await run(file, [...args, '-q', '-B', '-f', POM, ...goal], { env, maxBuffer: 16 * 1024 * 1024 })
  })
  return folder
}

function log(line: string): void {
  console.error(line)
}
