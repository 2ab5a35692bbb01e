/** Runs what docker-compose.yml says of a service as a process of this machine, in the folder of the image. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Image } from './build-image.ts'
import { readCompose } from './compose-file.ts'

const { services } = readCompose()

/** What stands for the containers' network, volumes and caller. */
export interface Place {
  readonly image: Image
  /** What this machine has in place of the containers' addresses and paths; longer ones first. */
  readonly instead: readonly (readonly [theirs: string, ours: string])[]
  /** What the caller's shell sets: reaches a service that names the variable without a value. */
  readonly shell: Readonly<Record<string, string>>
  /** Set for all, because they share one network here. */
  readonly moved: Readonly<Record<string, string>>
}

export interface Running {
  readonly name: string
  readonly child: ChildProcess
  readonly output: () => string
}

export function startService(name: string, place: Place): Running {
  return start(name, services[name]?.command ?? [], { ...environmentOf(name, place), ...place.moved }, place)
}

/** Resolves with the exit code, null where a signal ended it. */
export async function exitOf({ child }: Running): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}

/** What the healthcheck says. */
export async function isHealthy(name: string, place: Place): Promise<boolean> {
  const [, ...command] = services[name]?.healthcheck?.test ?? []
  return (await exitOf(start(name, command, {}, place))) === 0
}

function start(name: string, command: readonly string[], env: Record<string, string>, place: Place): Running {
  const [program, ...args] = command.map((word) => translated(word, place))
  if (program !== 'node') throw new Error(`${name}: ${program} is not in the image`)
  const child = spawn(process.execPath, args, {
    cwd: place.image.folder,
    env: { ...place.image.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text
    })
  }
  return { name, child, output: () => output }
}

function environmentOf(name: string, place: Place): Record<string, string> {
  const entries = Object.entries(services[name]?.environment ?? {}).flatMap(([variable, value]) => {
    const given = value ?? place.shell[variable]
    return given === undefined ? [] : [[variable, translated(withDefaults(given, place), place)] as const]
  })
  return Object.fromEntries(entries)
}

/** `${NAME:-value}` */
function withDefaults(value: string, { shell }: Place): string {
  return value.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, fallback: string) => shell[name] ?? fallback)
}

function translated(text: string, { instead }: Place): string {
  return instead.reduce((changed, [theirs, ours]) => changed.replace(theirs, ours), text)
}
