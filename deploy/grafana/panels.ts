/** The few kinds of panel that the dashboards need, as Grafana's JSON model has them. */

export interface Query {
  readonly expr: string
  readonly legend?: string
  /** What it shows may never happen: no answer is a good answer. */
  readonly mayBeEmpty?: boolean
}

export interface PanelSource {
  readonly title: string
  readonly description?: string
  readonly type: 'timeseries' | 'stat' | 'gauge' | 'heatmap' | 'table' | 'state-timeline' | 'bargauge'
  /** Grafana's: s, reqps, percentunit, bytes, short. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** Of 24. @default 8 */
  readonly width?: number
  readonly stacked?: boolean
  /** Values from which on it is yellow, and red. */
  readonly thresholds?: readonly [yellow: number, red: number]
}

export interface RowSource {
  readonly title: string
  readonly panels: readonly PanelSource[]
}

export const PROMETHEUS = { type: 'prometheus', uid: 'prometheus' }
const HEIGHT = 8
const COLUMNS = 24

export function perSecond(metric: string, by = ''): string {
  return `sum${by === '' ? '' : ` by (${by})`} (rate(${metric}[$__rate_interval]))`
}

/** Of a histogram, by its name without `_bucket`. */
export function quantile(q: number, histogram: string, matchers = '', by = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${histogram}_bucket{${matchers}}[$__rate_interval])))`
}

export function percentiles(histogram: string, matchers = ''): Query[] {
  return [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, histogram, matchers), legend: `p${q * 100}` }))
}

/** Lays rows out from top to bottom, their panels from left to right. */
export function layOut(rows: readonly RowSource[]): object[] {
  const panels: object[] = []
  let y = 0
  for (const { title, panels: sources } of rows) {
    panels.push({ id: panels.length + 1, type: 'row', title, collapsed: false, gridPos: { h: 1, w: COLUMNS, x: 0, y } })
    y += 1
    let x = 0
    for (const source of sources) {
      const w = source.width ?? 8
      if (x + w > COLUMNS) {
        x = 0
        y += HEIGHT
      }
      panels.push({ id: panels.length + 1, ...panelOf(source), gridPos: { h: HEIGHT, w, x, y } })
      x += w
    }
    y += HEIGHT
  }
  return panels
}

function panelOf({ title, description, type, unit, queries, stacked, thresholds }: PanelSource): object {
  const steps = thresholds && [
    { color: 'green', value: null },
    { color: 'yellow', value: thresholds[0] },
    { color: 'red', value: thresholds[1] },
  ]
  return {
    type,
    title,
    ...(description !== undefined && { description }),
    datasource: PROMETHEUS,
    fieldConfig: {
      defaults: {
        unit,
        ...(steps && { thresholds: { mode: 'absolute', steps }, color: { mode: 'thresholds' } }),
        ...(stacked && { custom: { stacking: { mode: 'normal' }, fillOpacity: 40 } }),
      },
      overrides: [],
    },
    options: type === 'timeseries' ? { tooltip: { mode: 'multi', sort: 'desc' } } : {},
    targets: queries.map((query, index) => targetOf(query, index, type)),
  }
}

function targetOf({ expr, legend }: Query, index: number, type: PanelSource['type']): object {
  return {
    refId: String.fromCharCode(65 + index),
    datasource: PROMETHEUS,
    expr,
    ...(legend !== undefined && { legendFormat: legend }),
    ...(type === 'heatmap' && { format: 'heatmap' }),
    ...(type === 'table' && { format: 'table', instant: true }),
  }
}
