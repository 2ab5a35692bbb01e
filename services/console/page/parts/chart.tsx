/**
 * Charts in SVG: stacked bars and lines over time. Each has a table for who does not see it, and tells its values under the pointer
 * and the arrow keys.
 */
import { useState } from 'preact/hooks'
import { absoluteTime, axisTime } from '../format.ts'

export interface Series {
  readonly name: string
  /** A class of the colours in charts.css. */
  readonly tone: string
  /** One per instant; null where there is nothing to tell. */
  readonly values: readonly (number | null)[]
}

interface ChartProps {
  readonly label: string
  readonly instants: readonly string[]
  readonly series: readonly Series[]
  readonly kind: 'bars' | 'lines'
  readonly show: (value: number) => string
}

const WIDTH = 600
const HEIGHT = 180
/** Of the height, from the top. */
const TICKS = [0, 0.5, 1] as const

export function Chart({ label, instants, series, kind, show }: ChartProps) {
  const [at, setAt] = useState<number>()
  const top = niceTop(kind === 'bars' ? highestSum(series, instants.length) : highest(series))
  const step = WIDTH / Math.max(1, instants.length)
  const point = (event: PointerEvent): void => {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect()
    const index = Math.floor(((event.clientX - box.left) / box.width) * instants.length)
    setAt(Math.min(instants.length - 1, Math.max(0, index)))
  }
  return (
    <figure class="chart">
      <div class="plot">
        <div class="axis-y" aria-hidden="true">
          {TICKS.map((tick) => (
            <span key={tick}>{show(top * (1 - tick))}</span>
          ))}
        </div>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={label}
          onPointerMove={point}
          onPointerLeave={() => setAt(undefined)}
        >
          {TICKS.map((tick) => (
            <line key={tick} class="grid-line" x1="0" x2={WIDTH} y1={HEIGHT * tick} y2={HEIGHT * tick} />
          ))}
          {kind === 'bars' ? (
            <Bars series={series} step={step} top={top} />
          ) : (
            <Lines series={series} step={step} top={top} />
          )}
          {at !== undefined && <rect class="cursor" x={at * step} y="0" width={step} height={HEIGHT} />}
        </svg>
        <Instants instants={instants} />
      </div>
      <figcaption>
        {at !== undefined && <span class="faint nowrap">{absoluteTime(instants[at]!)}</span>}
        {series.map(({ name, tone, values }) => {
          const value = at === undefined ? undefined : values[at]
          return (
            <span key={name} class="key" data-series={tone}>
              {name}
              {value != null && <b> {show(value)}</b>}
            </span>
          )
        })}
      </figcaption>
      <DataTable label={label} instants={instants} series={series} show={show} />
    </figure>
  )
}

/** The first, the middle and the last one. */
function Instants({ instants }: Pick<ChartProps, 'instants'>) {
  const [first, middle, last] = [instants[0], instants[Math.floor(instants.length / 2)], instants.at(-1)]
  if (first === undefined || middle === undefined || last === undefined) return null
  const spanMs = Date.parse(last) - Date.parse(first)
  return (
    <div class="axis-x" aria-hidden="true">
      {[first, middle, last].map((instant) => (
        <span key={instant}>{axisTime(instant, spanMs)}</span>
      ))}
    </div>
  )
}

interface Drawn {
  readonly series: readonly Series[]
  readonly step: number
  readonly top: number
}

function Bars({ series, step, top }: Drawn) {
  const heights = new Map<number, number>()
  return (
    <>
      {series.map(({ name, tone, values }) => (
        <g key={name} data-series={tone}>
          {values.map((value, index) => {
            if (!value) return null
            const below = heights.get(index) ?? 0
            heights.set(index, below + value)
            const height = (value / top) * HEIGHT
            return (
              <rect
                key={index}
                x={index * step + step * 0.1}
                width={step * 0.8}
                y={HEIGHT - (below / top) * HEIGHT - height}
                height={height}
              />
            )
          })}
        </g>
      ))}
    </>
  )
}

function Lines({ series, step, top }: Drawn) {
  return (
    <>
      {series.map(({ name, tone, values }) => (
        <path key={name} data-series={tone} class="line" d={pathOf(values, step, top)} />
      ))}
    </>
  )
}

/** Gaps where there is no value; a lone value is a short stroke. */
export function pathOf(values: readonly (number | null)[], step: number, top: number): string {
  let isDrawing = false
  return values
    .map((value, index) => {
      if (value === null) {
        isDrawing = false
        return ''
      }
      const x = (index + 0.5) * step
      const y = HEIGHT - (value / top) * HEIGHT
      const move = isDrawing ? 'L' : 'M'
      isDrawing = true
      const isLone = (values[index + 1] ?? null) === null && move === 'M'
      return `${move}${x.toFixed(1)} ${y.toFixed(1)}${isLone ? `h${(step / 2).toFixed(1)}` : ''}`
    })
    .join('')
}

function DataTable({ label, instants, series, show }: Omit<ChartProps, 'kind'>) {
  return (
    <details class="chart-data">
      <summary>Values</summary>
      <div class="scroll">
        <table>
          <caption class="visually-hidden">{label}</caption>
          <thead>
            <tr>
              <th scope="col">At</th>
              {series.map(({ name }) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {instants.map((instant, index) => (
              <tr key={instant}>
                <td class="nowrap">{absoluteTime(instant)}</td>
                {series.map(({ name, values }) => (
                  <td key={name} class="number">
                    {values[index] == null ? '–' : show(values[index])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

function highest(series: readonly Series[]): number {
  return Math.max(1, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)))
}

function highestSum(series: readonly Series[], length: number): number {
  const sums = Array.from({ length }, (_, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0))
  return Math.max(2, ...sums)
}

/** At or above `value`, and still a round number when halved. */
export function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return [2, 4, 6, 8, 10].map((factor) => factor * power).find((top) => top >= value) ?? value
}
