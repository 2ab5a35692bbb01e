import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { DASHBOARDS, POSTRIDER_ROWS } from '../../../deploy/grafana/dashboards.ts'

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'deploy', 'grafana')
const read = (...path: string[]) => readFileSync(join(FOLDER, ...path), 'utf8')

interface Panel {
  readonly id: number
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
}

const panelsOf = (file: string): Panel[] => JSON.parse(read('dashboards', file)).panels

describe('the dashboards', () => {
  it('are what their source says: else run node deploy/grafana/main.ts', () => {
    assert.deepEqual(readdirSync(join(FOLDER, 'dashboards')).toSorted(), Object.keys(DASHBOARDS))
    for (const [file, dashboard] of Object.entries(DASHBOARDS))
      assert.deepEqual(JSON.parse(read('dashboards', file)), JSON.parse(JSON.stringify(dashboard)), file)
  })

  it('name every panel by one number, within the grid and upon no other', () => {
    for (const file of Object.keys(DASHBOARDS)) {
      const panels = panelsOf(file)
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
      for (const [index, { gridPos: a }] of panels.entries()) {
        assert.ok(a.x >= 0 && a.x + a.w <= 24)
        for (const { gridPos: b } of panels.slice(index + 1)) {
          const overlaps = a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
          assert.equal(overlaps, false, `${file}: ${JSON.stringify([a, b])}`)
        }
      }
    }
  })

  it('ask only sources that are provisioned', () => {
    const { datasources } = parse(read('provisioning', 'datasources', 'postrider.yaml'))
    const uids = datasources.map(({ uid }: { uid: string }) => uid)
    for (const file of Object.keys(DASHBOARDS))
      for (const [, uid] of read('dashboards', file).matchAll(/"type": "(?:prometheus|tempo|loki)",\s*"uid": "(\w+)"/g))
        assert.ok(uids.includes(uid), uid)
  })

  it('have a title for every panel', () => {
    for (const { panels } of POSTRIDER_ROWS)
      for (const { title, queries } of panels) assert.ok(title !== '' && queries.length > 0)
  })
})
