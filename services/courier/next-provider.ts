/**
 * A first provider and the next one behind it: which of the two a try goes to. Urgent mail takes them in turn, everything else goes to
 * the next one only while the first stands still. Where a copy may have been sent already, no second provider is brought in.
 */
import type { Delivery } from './delivery.ts'
import type { SelectedChannel } from './select-channel.ts'

/** While a probe is under way nobody knows when the next one is. */
const LEAST_WAIT_MS = 1_000

/** @param first of the two: the channel that the message's project selects */
export function providerFor(
  delivery: Delivery,
  first: SelectedChannel,
  isOpen: (channel: SelectedChannel) => boolean,
): SelectedChannel {
  const { next } = first
  if (next === undefined || isBoundToFirst(delivery)) return first
  const { record, dispatch } = delivery
  const isNextsTurn = record.lane === 'urgent' && dispatch % 2 === 0
  const [chosen, other] = isNextsTurn ? [next, first] : [first, next]
  return isOpen(chosen) || !isOpen(other) ? chosen : other
}

/** A courier that died while it held the message may have sent it, as may a try without an answer. */
export function isBoundToFirst({ unknowns, reclaims }: Delivery): boolean {
  return unknowns + reclaims > 0
}

/**
 * Whether the try after this one goes to a provider that has not seen the message, and so need not wait. After the first try only: later
 * ones keep the schedule, or two providers would use up a message's tries in half of the time.
 */
export function isNextElsewhere({ via, record, dispatch }: Delivery): boolean {
  const next = via?.next
  return next !== undefined && dispatch === 1 && record.lane === 'urgent' && next.blockage() === undefined
}

/** Places of a channel in the ready row, by key. */
export type PlacesOf = (channelKey: string) => number

/** Room for first tries: what the first provider does not take while it is blocked, the next one does. */
export function freshRoom(channel: SelectedChannel, placesOf: PlacesOf): number {
  const { key, next, blockage } = channel
  const places = placesOf(key)
  return next === undefined || blockage() === undefined ? places : places + placesOf(next.key)
}

/** Room for what fell due: while both are open any message may go to either, so that the fuller one decides. */
export function dueRoom(channel: SelectedChannel, placesOf: PlacesOf): number {
  const { next, blockage } = channel
  const room = freshRoom(channel, placesOf)
  if (next === undefined || blockage() !== undefined || next.blockage() !== undefined) return room
  return Math.min(room, placesOf(next.key))
}

/** How long a message that only this blocked channel may send has to wait. */
export function untilProbeMs({ blockage }: SelectedChannel): number {
  return Math.max(LEAST_WAIT_MS, (blockage()?.nextProbeAtMs ?? 0) - Date.now())
}
