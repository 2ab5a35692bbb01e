/** How far a partition is done without a gap. Records may end in any order; an offset is committable when all before it have ended. */
export interface Watermark {
  /** Opens an offset; offsets begin in ascending order. One below the base, or begun before, is ignored. */
  readonly begin: (offset: number) => void
  /** Completes an offset. @returns the next offset to commit when the contiguous part grew, else undefined */
  readonly end: (offset: number) => number | undefined
}

/** Begun offsets that are done are dropped from memory in steps of this many. */
const COMPACT = 1_024

/** @param base the offset that the group goes on from; nothing below it is ever committable */
export function openWatermark(base: number): Watermark {
  let begun: number[] = []
  /** Index in `begun` of the lowest offset that has not ended. */
  let head = 0
  let last = base - 1
  const ended = new Set<number>()

  function advance(): number {
    head++
    while (head < begun.length && ended.delete(begun[head]!)) head++
    if (head === begun.length || head >= COMPACT) {
      begun = begun.slice(head)
      head = 0
    }
    return begun[head] ?? last + 1
  }

  return {
    begin: (offset) => {
      if (offset <= last) return
      begun.push(offset)
      last = offset
    },
    end: (offset) => {
      const lowest = begun[head]
      if (lowest === undefined || offset < lowest || offset > last) return undefined
      if (offset === lowest) return advance()
      ended.add(offset)
      return undefined
    },
  }
}
