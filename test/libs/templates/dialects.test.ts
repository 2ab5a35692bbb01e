/** The table of fields against what templates really see of each type, in Go's names and in Jsonnet's. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openEngine } from '#libs/engine'
import { describeTemplateTypes, fieldsOf, renderMessage, SAMPLE_DATA, TEMPLATE_KINDS } from '#libs/templates'
import { engineData } from '../../../libs/templates/custom/engine-data.ts'
import { contextOf } from '../../../services/courier/channels/http/template-context.ts'

const engine = openEngine({ workers: 1, timeoutMs: 120_000 })
after(() => engine[Symbol.asyncDispose]())

/** The rows of the printed table, by type and channel: name in Go, key in JSON. */
const ROWS = Map.groupBy(
  describeTemplateTypes()
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) => line.replaceAll('`', '').slice(2, -2).split(' | ')),
  ([templateType, channel]) => `${templateType} ${channel}`,
)

/** The names that Ory 1.0 gave to Jsonnet; later fields never had one. */
const OLD_NAMES = [
  ...['To', 'RecoveryCode', 'RecoveryURL', 'VerificationURL', 'VerificationCode', 'LoginCode', 'RegistrationCode'],
  ...['Identity', 'Traits', 'RequestURL', 'TransientPayload', 'ExpiresInMinutes', 'Subject', 'Body'],
]

async function evaluated(source: string, context: string): Promise<unknown> {
  const answer = await engine.evaluate(source, context)
  assert.ok(answer.ok, answer.ok ? '' : answer.message)
  return JSON.parse(answer.json)
}

describe('describeTemplateTypes', () => {
  it('is the table in README.md', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../../libs/templates/README.md'), 'utf8')
    assert.equal(readme.split('<!-- fields -->\n\n')[1]?.split('\n<!-- /fields -->')[0], describeTemplateTypes())
  })

  for (const { templateType, channel, data } of SAMPLE_DATA) {
    const rows = ROWS.get(`${templateType} ${channel}`) ?? []
    const names = rows.map(([, , go = '']) => go.slice(1))
    const keys = rows.map(([, , , json = '']) => json.split(' or ')[0])
    const mail = {
      ...{ messageId: 'm', projectId: 'p', messageType: channel, templateType, templateData: data, requestHeaders: {} },
      ...{ dispatch: 1, recipient: String(data.to), date: new Date(0), deadline: 0 },
      ...renderMessage({ templateType, channel, data }),
    }

    it(`lists what Jsonnet sees of ${templateType} for ${channel}, under new names and old`, async () => {
      const context = (await evaluated('function(ctx) ctx', contextOf(mail))) as { template_data: object }
      assert.deepEqual(Object.keys(context.template_data).sort(), keys.toSorted())
      const all = await evaluated('function(ctx) std.objectFieldsAll(ctx.TemplateData)', contextOf(mail))
      const old = (all as string[]).filter((name) => /^[A-Z]/.test(name))
      const isSmsRecovery = templateType === 'recovery_code_valid' && channel === 'sms'
      const expected = names.filter((name) => OLD_NAMES.includes(name))
      assert.deepEqual(old.sort(), [...expected, ...(isSmsRecovery ? ['VerificationCode'] : [])].sort())
    })

    it(`lists what a Go template sees of ${templateType} for ${channel}, and nothing else is there`, async () => {
      const render = (source: string) =>
        engine.renderTemplate({
          ...{ mode: 'text', files: { main: source }, main: 'main' },
          ...engineData(fieldsOf(templateType, channel), data),
        })
      const listing = names.map((name) => `{{ .${name} | toJson }}\n`).join('')
      const answer = await render(listing)
      assert.ok(answer.ok, answer.ok ? '' : answer.message)
      assert.deepEqual(
        answer.text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
        keys.map((key) => data[key ?? '']),
      )
      for (const other of ALL_NAMES.filter((name) => !names.includes(name))) {
        const refused = await render(`{{ .${other} }}`)
        assert.ok(!refused.ok && /can't evaluate field/.test(refused.message), other)
      }
    })
  }
})

const ALL_NAMES = [
  ...new Set(
    Object.values(TEMPLATE_KINDS).flatMap(({ fields }) => [...fields.email, ...(fields.sms ?? [])].map(({ go }) => go)),
  ),
]
