import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { groupLabelsOf, selectionsOf } from './promql-names.ts'

const EXPR =
  'sum by (channel, le) (rate(a_bucket{le="10",b=~"x|y"}[5m] offset 7d)) / sum(c:d:rate5m) > 0.2 or absent(e_total)'

describe('selectionsOf', () => {
  it('finds every metric and the labels that select it', () => {
    assert.deepEqual(selectionsOf(EXPR), [
      { metric: 'a_bucket', labels: ['le', 'b'] },
      { metric: 'c:d:rate5m', labels: [] },
      { metric: 'e_total', labels: [] },
    ])
  })
})

describe('groupLabelsOf', () => {
  it('finds the labels of sums', () => {
    assert.deepEqual(groupLabelsOf(EXPR), ['channel', 'le'])
  })
})
