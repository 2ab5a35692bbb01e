/**
 * A rate that all couriers keep together: tokens of one bucket, fetched a few at a time ahead of their use, so that no mail waits
 * for the database while there are some. Where the bucket cannot be asked nothing is sent beyond what was fetched.
 */
export interface RateLimit {
  readonly perSecond: number
  /** Most tokens that an idle bucket keeps. */
  readonly burst: number
}

export interface SharedRate {
  /** How many mails may start now, at most `wanted`. Fetches more where that is less, and then calls back. */
  readonly allowance: (wanted: number) => number
  readonly started: () => void
  readonly onTokens: (callback: () => void) => void
  /** Gives back what is left. */
  readonly close: () => Promise<void>
}

export interface SharedRatePorts {
  /** Takes up to `wanted` tokens, or gives back `-wanted`. @returns how many were granted */
  readonly take: (wanted: number) => Promise<number>
  readonly onError: (error: unknown) => void
}

/** What a bucket keeps, and what is fetched at once, in seconds of the rate. */
const BURST_S = 0.25
const BATCH_S = 0.1
/** One mail, and what accrues until somebody looks again: nothing of a slow rate is lost. */
const LEAST_BURST = 1.5
/** After a fetch that found too little: a quarter of a token's time, within these bounds. */
const SHORTEST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000
/** Nobody used the tokens that long: others may. */
const UNUSED_MS = 1_000

export function limitOf(perSecond: number): RateLimit {
  return { perSecond, burst: Math.max(LEAST_BURST, perSecond * BURST_S) }
}

export function openSharedRate({ perSecond }: RateLimit, { take, onError }: SharedRatePorts): SharedRate {
  const batch = Math.max(1, Math.ceil(perSecond * BATCH_S))
  const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, 250 / perSecond))
  let tokens = 0
  let fetching: Promise<void> | undefined
  let pause: NodeJS.Timeout | undefined
  let unused: NodeJS.Timeout | undefined
  let closed = false
  let onTokens: () => void = () => undefined

  function fetchTokens(): void {
    fetching = take(batch)
      .then(
        (granted) => {
          tokens += granted
          return granted < batch ? pauseMs : 0
        },
        (error) => {
          onError(error)
          return LONGEST_PAUSE_MS
        },
      )
      .then((delayMs) => {
        fetching = undefined
        if (closed) return
        if (delayMs > 0) pause = setTimeout(lookAgain, delayMs).unref()
        clearTimeout(unused)
        unused = setTimeout(giveBack, UNUSED_MS).unref()
        if (tokens > 0) onTokens()
      })
  }

  function lookAgain(): void {
    pause = undefined
    onTokens()
  }

  /** What cannot be given back is lost: the rate is kept, if not used up. */
  async function giveBack(): Promise<void> {
    const left = tokens
    tokens = 0
    if (left > 0) await take(-left).catch(onError)
  }

  return {
    allowance: (wanted) => {
      if (wanted > tokens && tokens <= batch / 2 && fetching === undefined && pause === undefined && !closed)
        fetchTokens()
      return Math.min(wanted, tokens)
    },
    started: () => {
      tokens = Math.max(0, tokens - 1)
    },
    onTokens: (callback) => {
      onTokens = callback
    },
    close: async () => {
      closed = true
      clearTimeout(pause)
      clearTimeout(unused)
      await fetching
      await giveBack()
    },
  }
}
