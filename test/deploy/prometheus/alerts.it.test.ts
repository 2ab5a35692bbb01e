import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { ensurePrometheusTools } from '../../support/prometheus-tools.ts'
import { FOLDER, ROOT, RULE_TESTS, readRules, readRuleTests } from './alert-rules.ts'

const run = promisify(execFile)
const alerts = readRules().flatMap((rule) => (rule.alert === undefined ? [] : { ...rule, alert: rule.alert }))

describe('alerts.yaml', () => {
  let promtool: string
  before(async () => {
    promtool = (await ensurePrometheusTools()).promtool
  })

  it('is understood by Prometheus', async () => {
    const { stdout } = await run(promtool, ['check', 'rules', 'alerts.yaml'], { cwd: FOLDER })
    assert.match(stdout, /SUCCESS/)
  })

  it('fires where it must and is silent where it must', async () => {
    const { stdout } = await run(promtool, ['test', 'rules', ...RULE_TESTS], { cwd: FOLDER }).catch((error) => {
      throw new Error(`${error.stdout}\n${error.stderr}`)
    })
    assert.equal(stdout.match(/SUCCESS/g)?.length, RULE_TESTS.length)
  })

  it('has a case that fires and a case that does not for each alert', () => {
    const cases = readRuleTests().flatMap(({ promql_expr_test }) => promql_expr_test)
    for (const { alert } of alerts) {
      const own = cases.filter(({ expr }) => expr.includes(`alertname="${alert}"`) && expr.includes('="firing"'))
      assert.ok(
        own.some(({ exp_samples }) => exp_samples.length > 0),
        `${alert}: no case in which it fires`,
      )
      assert.ok(
        own.some(({ exp_samples }) => exp_samples.length === 0),
        `${alert}: no case in which it is silent`,
      )
    }
  })

  it('says of each alert what it means, how urgent it is, and where it is explained', () => {
    const runbook = readFileSync(join(ROOT, 'OPERATIONS.md'), 'utf8')
    for (const { alert, labels, annotations } of alerts) {
      assert.match(labels?.severity ?? '', /^(page|ticket)$/, alert)
      assert.ok(annotations?.summary, alert)
      assert.ok(annotations?.description, alert)
      assert.equal(annotations?.runbook_url, `OPERATIONS.md#${alert.toLowerCase()}`)
      const [, entry = ''] = new RegExp(`^### ${alert}\\n([^#]+)`, 'm').exec(runbook) ?? []
      assert.ok(entry.trim().length > 80, `${alert}: no entry in OPERATIONS.md`)
    }
  })

  it('is explained by no entry that has no alert any more', () => {
    const runbook = readFileSync(join(ROOT, 'OPERATIONS.md'), 'utf8')
    const [, section = ''] = /^## Alerts\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(runbook) ?? []
    const entries = [...section.matchAll(/^### (\w+)$/gm)].map(([, name]) => name)
    assert.deepEqual(entries.toSorted(), alerts.map(({ alert }) => alert).toSorted())
  })
})
