/** Counters of the hot path: a number to add to, which is only handed to the SDK when somebody reads it. */
import type { Attributes, Meter } from '@opentelemetry/api'

export interface TallyOptions {
  readonly unit: string
  readonly description: string
  /** Counts that are there from the start, at 0: the first event of a series that was not there is no increase. */
  readonly from?: readonly Attributes[]
}

export interface Tally {
  /** @param key of the attributes: the same key always has the same ones, from a closed set */
  readonly add: (key: string, attributes: () => Attributes, count?: number) => void
}

export function openTally(meter: Meter, name: string, { unit, description, from = [] }: TallyOptions): Tally {
  const counts = new Map<string, { readonly attributes: Attributes; count: number }>()
  for (const attributes of from) counts.set(Object.values(attributes).join(' '), { attributes, count: 0 })
  meter.createObservableCounter(name, { unit, description }).addCallback((result) => {
    for (const { attributes, count } of counts.values()) result.observe(count, attributes)
  })
  return {
    add: (key, attributes, count = 1) => {
      const known = counts.get(key)
      if (known === undefined) counts.set(key, { attributes: attributes(), count })
      else known.count += count
    },
  }
}

/** Attribute sets by key, each made once. */
export function openAttributeSets(): (key: string, make: () => Attributes) => Attributes {
  const sets = new Map<string, Attributes>()
  return (key, make) => {
    let set = sets.get(key)
    if (set === undefined) {
      set = make()
      sets.set(key, set)
    }
    return set
  }
}
