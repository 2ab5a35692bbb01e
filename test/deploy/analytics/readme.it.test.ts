/**
 * Runs every command and every query of deploy/analytics/README.md, and compares what is printed with what stands there. With
 * UPDATE_README=1 writes it there instead.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { ensureTopics } from '#libs/bus'
import { topics } from '#libs/messages'
import { queryNames } from '../../../deploy/cli/event-queries.ts'
import { testKafka } from '../../support/servers.ts'
import { EXECUTABLE } from '../cli/run-cli.ts'
import { blocksOf, fileNameOf, sessionsOf } from './readme-blocks.ts'
import { PARTITIONS, publishStories, tellStories } from './stories.ts'

const README = join(import.meta.dirname, '../../../deploy/analytics/README.md')
const markdown = await readFile(README, 'utf8')
const blocks = blocksOf(markdown)
const { brokers, prefix } = testKafka()
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postrider-readme-'))
  await symlink(EXECUTABLE, join(folder, 'postrider'))
  for (const block of blocks.filter(({ kind }) => kind === 'sql')) {
    await writeFile(join(folder, fileNameOf(block)), block.text)
  }
  const topic = { name: topics(prefix).status, partitions: PARTITIONS, replication: 1, config: {} }
  await ensureTopics({ brokers: brokers.split(','), topics: [topic] })
  await publishStories(brokers, topic.name, tellStories(1_000))
})
after(() => rm(folder, { recursive: true, force: true }))

/** As a user's shell in a folder of its own, with `postrider` on the path. @returns standard output */
async function shell(command: string): Promise<string> {
  const path = [folder, dirname(process.execPath), process.env.PATH].join(':')
  const env = { PATH: path, KAFKA_BROKERS: brokers, POSTRIDER_KAFKA_TOPIC_PREFIX: prefix }
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command], { cwd: folder, env })
  return stdout
}

describe('deploy/analytics/README.md', () => {
  it('has commands, and no block that is not run', () => {
    assert.deepEqual([...new Set(blocks.map(({ kind }) => kind))].sort(), ['console', 'sh', 'sql'])
    assert.equal(markdown.match(/^```/gm)?.length, 2 * blocks.length)
  })

  it('shows every query', () => {
    const shown = blocks.flatMap(({ text }) => text.match(/(?<=events query )[\w-]+(?=\s)/g) ?? [])
    assert.deepEqual([...new Set(shown)].sort(), queryNames())
  })

  it('links to files that there are', () => {
    for (const [, target = ''] of markdown.matchAll(/\]\(([^)#:]+)\)/g)) {
      assert.ok(existsSync(join(dirname(README), target)), target)
    }
  })

  for (const [index, { text }] of blocks.filter(({ kind }) => kind === 'sh').entries()) {
    it(`has commands that succeed, block ${index + 1}`, async () => {
      await shell(text)
    })
  }

  for (const { command, output } of blocks.filter(({ kind }) => kind === 'console').flatMap(sessionsOf)) {
    it(`says what is printed by ${command}`, async () => {
      const printed = await shell(command)
      if (process.env.UPDATE_README === '1') await update(command, output, printed)
      else assert.equal(printed, output)
    })
  }
})

async function update(command: string, output: string, printed: string): Promise<void> {
  const text = await readFile(README, 'utf8')
  await writeFile(
    README,
    text.replace(`$ ${command}\n${output}`, () => `$ ${command}\n${printed}`),
  )
}
