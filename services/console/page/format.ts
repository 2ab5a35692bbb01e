/** How values are shown. */
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' })
const ABSOLUTE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const NUMBER = new Intl.NumberFormat('en')
/** Clocks differ, and what is shown moves every few seconds. */
const NOW_MS = 6_000
const UNITS: readonly [unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
]

/** `3 min ago`, `in 5 s`. */
export function relativeTime(instant: string | number, nowMs: number = Date.now()): string {
  const ms = new Date(instant).getTime() - nowMs
  if (Math.abs(ms) < NOW_MS) return 'now'
  const [unit, size] = UNITS.find(([, unitMs]) => Math.abs(ms) >= unitMs) ?? ['second', 1_000]
  return RELATIVE.format(Math.trunc(ms / size), unit)
}

/** The time of day on an axis, or the day where the axis is longer than two. */
export function axisTime(instant: string, spanMs: number): string {
  return (spanMs > 2 * 86_400_000 ? DAY : CLOCK).format(new Date(instant))
}

export function absoluteTime(instant: string | number): string {
  return ABSOLUTE.format(new Date(instant))
}

/** `420 ms`, `1.2 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`
  const parts = ms < 3_600_000 ? ([60_000, 'min', 1_000, 's'] as const) : ([3_600_000, 'h', 60_000, 'min'] as const)
  const [big, bigName, small, smallName] = parts
  const rest = Math.floor((ms % big) / small)
  return `${Math.floor(ms / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`
}

export function count(value: number): string {
  return NUMBER.format(value)
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(part === whole || part === 0 ? 0 : 1)} %`
}

/** `recovery_code_valid` as `Recovery code valid`. */
export function words(name: string): string {
  const text = name.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
