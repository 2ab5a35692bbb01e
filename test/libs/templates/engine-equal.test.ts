/** The built-ins' fast path against Go itself: byte by byte, and escaper by escaper. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { openEngine } from '#libs/engine'
import type { ChannelId } from '#libs/messages'
import { fieldsOf, SAMPLE_DATA, TEMPLATE_KINDS } from '#libs/templates'
import { builtinPart } from '../../../libs/templates/builtin-templates.ts'
import { chooseEscapers } from '../../../libs/templates/choose-escapers.ts'
import { engineData } from '../../../libs/templates/custom/engine-data.ts'
import { TEMPLATE_PARTS } from '../../../libs/templates/custom/template-parts.ts'
import { parseTemplate } from '../../../libs/templates/parse-template.ts'

type Data = Readonly<Record<string, unknown>>

const BUILTIN = join(import.meta.dirname, '../../../libs/templates/builtin')
const engine = openEngine({ workers: 1, timeoutMs: 120_000 })
after(() => engine[Symbol.asyncDispose]())

const builtins = SAMPLE_DATA.filter(({ templateType }) => TEMPLATE_KINDS[templateType].folder !== undefined)

async function assertSame(templateType: string, channel: ChannelId, data: Data): Promise<void> {
  const folder = join(BUILTIN, TEMPLATE_KINDS[templateType as keyof typeof TEMPLATE_KINDS].folder ?? '')
  for (const { name, base, mode } of TEMPLATE_PARTS[channel]) {
    const main = `${base}.gotmpl`
    const files = { [main]: readFileSync(join(folder, main), 'utf8') }
    const answer = await engine.renderTemplate({
      mode,
      files,
      main,
      ...engineData(fieldsOf(templateType, channel), data),
    })
    assert.deepEqual(answer, { ok: true, text: builtinPart(templateType, channel, name)(data) }, `${base}`)
  }
}

const HOSTILE = [
  `<script>alert("1")</script>' + & \0 \u2028 😀 é %zz %41 {{ .To }}`,
  'javascript:alert(1)',
  ' https://user:pass@example.org/a b?c=d&e="f"#<g>',
  'data:text/html,<b>',
  '\u{d800}lone',
  '-->]]></style></title>',
]

/** Every text of the data becomes `text`; numbers and shapes stay. */
function filledWith(data: Data, text: string): Data {
  return JSON.parse(JSON.stringify(data), (_key, value: unknown) => (typeof value === 'string' ? text : value)) as Data
}

describe('the fast path', () => {
  for (const { templateType, channel, data } of builtins) {
    it(`prints ${templateType} for ${channel} as Go does, with sample data and without what may be missing`, async () => {
      await assertSame(templateType, channel, data)
      await assertSame(templateType, channel, {})
      await assertSame(templateType, channel, {
        ...data,
        identity: null,
        transient_payload: null,
        expires_in_minutes: 1,
      })
    })

    it(`prints ${templateType} for ${channel} as Go does, with hostile data`, async () => {
      for (const text of HOSTILE) await assertSame(templateType, channel, filledWith(data, text))
    })
  }

  it('prints whatever a text holds as Go does', async () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.webUrl())
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(2 ** 31 - 1), async (text, minutes) => {
        const data = { verification_code: text, verification_url: text, expires_in_minutes: minutes, to: text }
        await assertSame('verification_code_valid', 'email', data)
      }),
      { numRuns: 100 },
    )
  })
})

describe('chooseEscapers', () => {
  for (const file of globSync('**/email.body.gotmpl', { cwd: BUILTIN })) {
    it(`chooses for ${file} what Go's own escaped parse tree names`, async () => {
      const source = readFileSync(join(BUILTIN, file), 'utf8')
      const answer = await engine.escapers({ files: { [file]: source }, main: file })
      assert.ok(answer.ok)
      assert.deepEqual(
        chooseEscapers(parseTemplate(source)),
        answer.actions.map(({ escapers }) => escapers),
      )
    })
  }
})
