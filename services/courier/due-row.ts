import type { Delivery } from './delivery.ts'

/** Of the messages that are ready: those that fell due, and of each channel how many. */
export interface DueRow {
  readonly size: number
  readonly sizeOf: (channelKey: string) => number
  readonly add: (delivery: Delivery, channelKey: string) => void
  /** @returns whether it was one of them */
  readonly remove: (delivery: Delivery) => boolean
  readonly clear: () => void
}

export function openDueRow(): DueRow {
  const keys = new Map<Delivery, string>()
  const sizes = new Map<string, number>()
  return {
    get size() {
      return keys.size
    },
    sizeOf: (channelKey) => sizes.get(channelKey) ?? 0,
    add: (delivery, channelKey) => {
      keys.set(delivery, channelKey)
      sizes.set(channelKey, (sizes.get(channelKey) ?? 0) + 1)
    },
    remove: (delivery) => {
      const key = keys.get(delivery)
      if (key === undefined) return false
      keys.delete(delivery)
      const left = (sizes.get(key) ?? 0) - 1
      if (left > 0) sizes.set(key, left)
      else sizes.delete(key)
      return true
    },
    clear: () => {
      keys.clear()
      sizes.clear()
    },
  }
}
