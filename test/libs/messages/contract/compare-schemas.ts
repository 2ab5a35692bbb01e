/** Finds what makes a later schema unfit for readers of an earlier one, or for data that an earlier one allowed. */
import { isDeepStrictEqual } from 'node:util'
import type { Schema } from './contract.ts'

/** Say nothing about what is valid. */
const ANNOTATIONS = new Set(['title', 'description', 'examples', '$comment'])
const OPEN_NAMES = 'x-extensible-enum'

/**
 * Readers may rely on all that was there: a property that is gone, or is no longer sure to come, or means another type, breaks them.
 * Data of the time before stay in the topic and in archives: a property that is newly required, or a narrower limit, refuses them.
 * New optional properties and new names in an open list break nobody.
 * @returns one line for each break; none where the later schema only grows
 */
export function breaksOf(before: Schema, after: Schema, path = '$'): string[] {
  const keywords = new Set([...Object.keys(before), ...Object.keys(after)].filter((name) => !ANNOTATIONS.has(name)))
  return [...keywords].flatMap((name) => {
    const [was, is] = [before[name], after[name]]
    if (name === 'properties') return propertyBreaks(asSchemas(was), asSchemas(is), path)
    if (name === 'required') return requiredBreaks(asNames(was), asNames(is), path)
    if (name === OPEN_NAMES && was !== undefined)
      return missing(asNames(was), asNames(is)).map((gone) => `${path}: ${gone} is gone from ${name}`)
    return isDeepStrictEqual(was, is) ? [] : [`${path}: ${name} was ${JSON.stringify(was)}, is ${JSON.stringify(is)}`]
  })
}

function propertyBreaks(
  before: Readonly<Record<string, Schema>>,
  after: Readonly<Record<string, Schema>>,
  path: string,
): string[] {
  return Object.entries(before).flatMap(([name, was]) => {
    const is = after[name]
    return is === undefined ? [`${path}.${name}: is gone`] : breaksOf(was, is, `${path}.${name}`)
  })
}

function requiredBreaks(before: readonly string[], after: readonly string[], path: string): string[] {
  return [
    ...missing(before, after).map((name) => `${path}.${name}: is no longer required`),
    ...missing(after, before).map((name) => `${path}.${name}: is newly required`),
  ]
}

function missing(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.includes(name))
}

function asSchemas(value: unknown): Record<string, Schema> {
  return (value ?? {}) as Record<string, Schema>
}

function asNames(value: unknown): string[] {
  return (value ?? []) as string[]
}
