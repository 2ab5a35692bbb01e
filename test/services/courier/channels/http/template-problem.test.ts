import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EngineFailureKind } from '#libs/engine'
import { templateProblem } from '../../../../../services/courier/channels/http/template-problem.ts'

const SOURCE = 'function(ctx) { a: ctx.nickname, b: std.extVar("region") }'

describe('templateProblem', () => {
  const rows: [kind: EngineFailureKind, message: string, problem: string][] = [
    ['timeout', 'took more than 1000 ms', 'took too long'],
    ['memory', 'needs more than 64 MiB', 'needs too much memory'],
    ['output', 'more than 512 KiB', 'makes a body that is too long'],
    ['parse', 'template.jsonnet:2:5-9 Unexpected: (STRING, "731904")', 'cannot be parsed at line 2, column 5'],
    ['parse', 'template.jsonnet:(2:5)-(3:1) Not closed', 'cannot be parsed at line 2, column 5'],
    ['parse', 'something else', 'cannot be parsed'],
    [
      'runtime',
      'RUNTIME ERROR: Field does not exist: nickname\n\ttemplate.jsonnet',
      'failed: Field does not exist: nickname',
    ],
    ['runtime', 'RUNTIME ERROR: Field does not exist: x731904', 'failed: Field does not exist: …'],
    ['runtime', 'RUNTIME ERROR: Undefined external variable: region', 'failed: Undefined external variable: region'],
    [
      'runtime',
      'RUNTIME ERROR: Unexpected type null, expected string',
      'failed: Unexpected type null, expected string',
    ],
    ['runtime', 'RUNTIME ERROR: no code 731904', 'failed: its own error, or one that quotes the mail'],
    ['runtime', '(CRASH) runtime error', 'failed: its own error, or one that quotes the mail'],
  ]
  for (const [kind, message, problem] of rows) {
    it(`says of ${kind}, ${message.split('\n', 1)[0]}: ${problem}`, () => {
      assert.equal(templateProblem({ ok: false, kind, message }, SOURCE), problem)
    })
  }
})
