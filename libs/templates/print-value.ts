/** Prints values as Go's `fmt` prints what `encoding/json` decoded: the words of `{{ .Field }}`. */

/** Of a value that is there; Go's `%v`. Numbers are Go's float64: 1000000 prints as `1e+06`. */
export function printValue(value: unknown): string {
  if (typeof value === 'string') return value.toWellFormed()
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'number') return printFloat(value)
  if (Array.isArray(value)) return `[${value.map(printValue).join(' ')}]`
  return typeof value === 'object' ? printMap(value) : String(value)
}

/** Go's truth in `{{ if }}`: false for nothing, false, 0 and what is empty. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

function printMap(map: object): string {
  const entries = Object.entries(map).map(([key, value]) => ({ key: key.toWellFormed(), value: printValue(value) }))
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  return `map[${entries.map(({ key, value }) => `${key}:${value}`).join(' ')}]`
}

/** `%v` of a float64 is `%g` with the fewest digits: an exponent, of two digits at least, from 1e6 on and below 1e-4. */
function printFloat(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (value === 0 || (power >= -4 && power < 6)) return plainDigits(mantissa, power)
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** Never an exponent, unlike Number's own text of 0.00001. */
function plainDigits(mantissa: string, power: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0')
  const fraction = digits.slice(power + 1)
  return sign + whole + (fraction === '' ? '' : `.${fraction}`)
}
