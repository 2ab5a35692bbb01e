/** A channel behind its admission: breaker, rate and ramp decide how many sends may start, and learn from how they end. */
import type { Channel } from '../channels/channel.ts'
import { type Blockage, openBreaker } from './breaker.ts'
import { openPace } from './pace.ts'
import type { SharedRate } from './shared-rate.ts'

export interface AdmittedChannel extends Channel {
  /** What stands in the way now; undefined while the channel is open. */
  readonly blockage: () => Blockage | undefined
  /** Mails that might be given now if the shared rate allowed any number. */
  readonly places: number
}

/** Looks again this often while a rate or a ramp holds sends back. */
const RECHECK_MS = 100

/**
 * @param maxConcurrent places of `channel` when nothing is under way
 * @param rate shared by all couriers; closed with the channel
 */
export function openAdmittedChannel(
  channel: Channel,
  maxConcurrent: number,
  now: () => number = Date.now,
  rate?: SharedRate,
): AdmittedChannel {
  const pace = openPace(maxConcurrent)
  const breaker = openBreaker(pace.recovered)
  let busy = 0
  let onFree: () => void = () => undefined
  let timer: NodeJS.Timeout | undefined

  /** Nobody calls when a probe or a token falls due. */
  function wakeLater(nowMs: number): void {
    if (timer !== undefined || channel.free <= 0) return
    const probeAtMs = breaker.blockage()?.nextProbeAtMs
    const delayMs = probeAtMs === undefined ? RECHECK_MS : Math.max(RECHECK_MS, probeAtMs - nowMs)
    timer = setTimeout(() => {
      timer = undefined
      onFree()
    }, delayMs).unref()
  }

  function places(): number {
    const nowMs = now()
    const allowed = Math.min(channel.free, breaker.allowance(nowMs), pace.allowance(busy, nowMs))
    if (allowed <= 0) wakeLater(nowMs)
    return allowed
  }

  /** Only where a mail could go at once are tokens worth fetching. */
  function free(): number {
    const allowed = places()
    return rate === undefined || allowed <= 0 ? allowed : rate.allowance(allowed)
  }

  return {
    get free() {
      return free()
    },
    get places() {
      return places()
    },
    send: (mail, done, stillWanted) => {
      const startedMs = now()
      busy += 1
      breaker.started(startedMs)
      pace.started(startedMs)
      rate?.started()
      channel.send(
        mail,
        (attempt) => {
          const endedMs = now()
          busy -= 1
          if (attempt.failure?.class === 'throttled') pace.throttled(endedMs)
          breaker.ended(mail.messageId, attempt.failure, endedMs)
          done(attempt)
        },
        stillWanted,
      )
    },
    ...(channel.connections !== undefined && { connections: channel.connections }),
    onFree: (callback) => {
      onFree = callback
      channel.onFree(callback)
      rate?.onTokens(callback)
    },
    close: async (patienceMs) => {
      clearTimeout(timer)
      await Promise.all([channel.close(patienceMs), rate?.close()])
    },
    blockage: breaker.blockage,
  }
}
