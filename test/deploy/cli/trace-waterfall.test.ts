import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { durationText, waterfall } from '../../../deploy/cli/trace-waterfall.ts'
import type { TraceSpan } from '../../../services/console/insights/trace/trace-spans.ts'

const START = Date.parse('2026-01-02T03:04:05.000Z')

function span(id: string, parent: string | null, fromMs: number, ms: number, more: Partial<TraceSpan> = {}): TraceSpan {
  const started_at = new Date(START + fromMs).toISOString()
  return { id, parent, name: id, service: 'courier', started_at, duration_ms: ms, error: false, note: null, ...more }
}

const TRACE = {
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  url: 'http://traces.example.org/0af7651916cd43dd8448eb211c80319c',
  spans: [
    span('attempt 2', 'message', 500, 500),
    span('message', null, 0, 1_000),
    span('send', 'attempt 1', 250, 250),
    span('attempt 1', 'message', 0, 500, { error: true, note: '550 5.1.1\u001b[2J' }),
  ],
}

describe('waterfall', () => {
  const lines = waterfall(TRACE, { width: 80, hasColor: false }).split('\n')

  it('puts each span below its parent, by its start, indented', () => {
    assert.deepEqual(
      lines.slice(3).map((line) => line.slice(2, 18).trimEnd()),
      ['message      cou', '  attempt 1  cou', '    550 5.1.1 [2', '    send     cou', '  attempt 2  cou'],
    )
  })

  it('draws bars where and as long as the spans are, within the width', () => {
    const [whole = '', first = '', , send = '', second = ''] = lines.slice(3)
    const bar = (line: string) => ({ from: line.search(/[▏▎▍▌▋▊▉█]/), length: line.match(/[▏▎▍▌▋▊▉█]/g)?.length ?? 0 })
    assert.ok(Math.abs(bar(first).length - bar(whole).length / 2) <= 1)
    assert.equal(bar(first).from, bar(whole).from)
    assert.ok(bar(send).from > bar(first).from && bar(second).from > bar(send).from)
    for (const line of lines) assert.ok(line.length <= 80, line)
  })

  it('marks errors, links to the backend, and prints no control character of a note', () => {
    const text = lines.join('\n')
    assert.match(text, /^✕ {3}attempt 1/m)
    assert.equal(lines[1], TRACE.url)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(text, /\x1b/)
  })

  it('paints only where there is color', () => {
    assert.ok(waterfall(TRACE, { width: 80, hasColor: true }).includes('\u001b[31m✕'))
  })

  it('keeps spans whose parent is missing', () => {
    const trace = { ...TRACE, url: null, spans: [span('lost', 'nobody', 0, 1)] }
    assert.match(waterfall(trace, { width: 80, hasColor: false }), /^ {2}lost/m)
  })
})

describe('durationText', () => {
  for (const [ms, text] of [
    [0, '0 ms'],
    [999, '999 ms'],
    [1_500, '1.5 s'],
    [90_000, '1m 30s'],
  ] as const)
    it(`tells ${ms} ms as ${text}`, () => assert.equal(durationText(ms), text))
})
