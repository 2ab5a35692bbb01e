/** Does what a build of the image does, stage by stage in folders, as far as that goes without an engine of containers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { basename, delimiter, dirname, join, posix, resolve } from 'node:path'
import { filesAt, ROOT } from './build-context.ts'
import { type Instruction, lastOf, parseDockerfile, type Stage } from './dockerfile.ts'

export const STAGES = parseDockerfile(readFileSync(join(ROOT, 'deploy', 'docker', 'Dockerfile'), 'utf8'))

export interface Image {
  /** The folder that stands for its working directory. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** @param folder empty; holds the stages afterwards */
export async function buildImage(folder: string): Promise<Image> {
  for (const stage of STAGES) await buildStage(stage, folder)
  const last = STAGES.at(-1)
  const variables = last?.instructions.filter(({ name }) => name === 'ENV').flatMap(({ words }) => words) ?? []
  return {
    folder: inStage(folder, last?.name ?? '', lastOf(last, 'WORKDIR')?.text ?? '/'),
    env: Object.fromEntries(variables.map((pair) => pair.split(/=(.*)/s) as [string, string])),
  }
}

async function buildStage(stage: Stage, folder: string): Promise<void> {
  let workdir = '/'
  for (const instruction of stage.instructions) {
    const place = inStage(folder, stage.name, workdir)
    if (instruction.name === 'WORKDIR') {
      workdir = instruction.text
      mkdirSync(inStage(folder, stage.name, workdir), { recursive: true })
    } else if (instruction.name === 'RUN') await run(instruction.text, place)
    else if (instruction.name === 'COPY') copy(instruction, place, folder)
  }
}

function copy({ flags, words }: Instruction, place: string, folder: string): void {
  const destination = words.at(-1) ?? ''
  const isFolder = words.length > 2 || destination.endsWith('/')
  for (const source of words.slice(0, -1)) {
    const target = resolve(place, destination, isFolder ? basename(source) : '.')
    mkdirSync(dirname(target), { recursive: true })
    if (flags.from !== undefined) {
      renameSync(inStage(folder, flags.from, source), target)
      continue
    }
    const files = filesAt(source)
    if (files.length === 0) throw new Error(`COPY ${source}: a build sees no such file`)
    for (const file of files) cpSync(join(ROOT, file), resolve(target, posix.relative(source, file)))
  }
}

async function run(command: string, place: string): Promise<void> {
  if (command.startsWith('install -d -o ')) return // owners are for root to give
  if (command === 'npm ci --ignore-scripts') {
    // All that the lock file names is what the project itself has installed.
    symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'))
    return
  }
  if (!/^(npm ci|node) /.test(command)) throw new Error(`RUN ${command}: nothing here knows how`)
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`
  const child = spawn('sh', ['-c', command], {
    cwd: place,
    env: { PATH, HOME: process.env.HOME, npm_config_prefer_offline: 'true' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`RUN ${command}: exit ${code}\n${stderr}`)
}

function inStage(folder: string, stage: string, path: string): string {
  return join(folder, `stage-${stage}`, path)
}
