/**
 * Builds the committed artefact from `go/`: `node libs/engine/build.ts`, after every change there. Needs the Go of `go/go.mod`; who only
 * runs Postrider needs none. The same sources and Go give the same module on every machine.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { ARTEFACT, computeChecksums, ENGINE_FOLDER } from './checksums.ts'

const GO = join(ENGINE_FOLDER, 'go')
const MAX_ARTEFACT_BYTES = 4 << 20
/** A reactor: no main that ends, functions to call. `-trimpath` and `-buildvcs` leave this machine and this commit out of it. */
const BUILD = [
  'go',
  'build',
  '-p',
  '1',
  '-buildmode=c-shared',
  '-trimpath',
  '-buildvcs=false',
  '-ldflags=-s -w -buildid=',
  '-o',
]

function build(): void {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-engine-'))
  try {
    const wasm = join(folder, 'engine.wasm')
    run('env', ['GOOS=wasip1', 'GOARCH=wasm', 'CGO_ENABLED=0', 'nice', '-n', '10', ...BUILD, wasm, '.'])
    const artefact = compress(readFileSync(wasm))
    if (artefact.length > MAX_ARTEFACT_BYTES) throw new Error(`${artefact.length} bytes: too much for the repository`)
    writeFileSync(join(ENGINE_FOLDER, ARTEFACT), artefact)
  } finally {
    rmSync(folder, { recursive: true })
  }
  writeFileSync(join(ENGINE_FOLDER, 'engine.sha256'), computeChecksums())
  writeFileSync(join(ENGINE_FOLDER, 'LICENSES.txt'), licenses())
}

function compress(wasm: Buffer): Buffer {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants
  return brotliCompressSync(wasm, {
    params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_LGWIN]: 24, [BROTLI_PARAM_SIZE_HINT]: wasm.length },
  })
}

/** The licences of everything that the artefact contains, which must travel with it. */
function licenses(): string {
  const format = '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}'
  const modules = run('env', ['GOOS=wasip1', 'GOARCH=wasm', 'go', 'list', '-deps', '-f', format, '.'])
  const goRoot = run('go', ['env', 'GOROOT']).trim()
  return [...new Set(modules.split('\n').filter((line) => line !== '')), `Go\t${goRoot}`]
    .map((line) => line.split('\t') as [string, string])
    .map(([module, folder]) => `==== ${module}\n\n${licenseIn(folder).trim()}\n`)
    .join('\n')
}

function licenseIn(folder: string): string {
  const name = ['LICENSE', 'LICENSE.txt', 'LICENSE.md'].find((file) => existsSync(join(folder, file)))
  if (name === undefined) throw new Error(`${folder}: found no licence`)
  return readFileSync(join(folder, name), 'utf8')
}

function run(command: string, args: string[]): string {
  return execFileSync(command, args, { cwd: GO, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

build()
