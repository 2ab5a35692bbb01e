import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export const ROOT = join(import.meta.dirname, '..', '..', '..')
export const FOLDER = join(ROOT, 'deploy', 'prometheus')

export interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface RuleTest {
  readonly name: string
  readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[]
}

export const RULE_TESTS = ['alerts.test.yaml', 'alerts-over-days.test.yaml']

const read = (file: string) => parse(readFileSync(join(FOLDER, file), 'utf8'))

export function readRules(): Rule[] {
  const { groups } = read('alerts.yaml') as { groups: readonly { readonly rules: readonly Rule[] }[] }
  return groups.flatMap(({ rules }) => rules)
}

export function readRuleTests(): RuleTest[] {
  return RULE_TESTS.flatMap((file) => (read(file) as { tests: RuleTest[] }).tests)
}
