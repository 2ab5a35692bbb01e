/** A whole override folder against what Go 1.26 with sprig's hermetic functions printed of the same files and data, as Ory parses them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openEngine } from '#libs/engine'
import { TEMPLATE_TYPES } from '#libs/messages'
import { type MessageParts, openTemplates, type Templates, toldProblem } from '#libs/templates'
import { OVERRIDE_CASES, OVERRIDES } from './overrides.ts'

interface Printed extends MessageParts {
  readonly templateType: string
  readonly channel: string
  readonly lang: string
}

const PRINTED = readFileSync(join(import.meta.dirname, 'go-rendered.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Printed)

const engine = openEngine({ workers: 1, timeoutMs: 120_000 })
let folder: string
let templates: Templates

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postrider-overrides-'))
  for (const [path, source] of Object.entries(OVERRIDES)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), source)
  }
  const resources = { load: () => Promise.reject(new Error('nothing is configured')) }
  templates = openTemplates({
    engine,
    resources,
    templates: {},
    overridePath: folder,
    onProblem: (problem) => assert.fail(toldProblem(problem)),
  })
})
after(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

describe('an override folder', () => {
  it('covers every type but the stub, whose fields are its texts', () => {
    const covered = new Set(PRINTED.map(({ templateType }) => templateType))
    assert.deepEqual(
      TEMPLATE_TYPES.filter((templateType) => !covered.has(templateType)),
      ['stub'],
    )
    assert.equal(PRINTED.length, OVERRIDE_CASES.length)
  })

  for (const [index, { templateType, channel, lang, data }] of OVERRIDE_CASES.entries()) {
    it(`renders ${templateType} for ${channel} in ${lang} as Go does`, async () => {
      const parts = await templates.render({ templateType, channel, data })
      assert.deepEqual({ templateType, channel, lang, ...parts }, PRINTED[index])
    })
  }

  it('has no problem', async () => assert.deepEqual(await templates.validate(), []))
})
