/** The shards of this relay, as far as it can know: renewed by the database's clock, given up by the local one. */
import type { Database } from '#libs/database'
import { type HeldShard, leaseShards, leaveRelays, releaseShards } from '#libs/outbox'

export interface OwnedShard extends HeldShard {
  /** Local monotonic time, ms. */
  leaseEndsAtMs: number
  /** Where reads begin. */
  low: number
  /** Places that were read and are not removed yet. */
  readonly flying: Set<number>
  /** Read no more: given back as soon as nothing is under way. */
  draining: boolean
  /** Somebody else's by now, or granted anew: what was read before is not sent. */
  lost: boolean
}

export interface OwnedShards {
  /** By shard. */
  readonly all: ReadonlyMap<number, OwnedShard>
  /** Renews, takes a fair share, and gives back what is above it and at rest. */
  readonly heartbeat: () => Promise<void>
  /** Reads begin from the bottom again. */
  readonly forgetMarks: () => void
  /** From now on shards are only given back. */
  readonly stopTaking: () => void
  /** Gives back everything. */
  readonly leave: () => Promise<void>
}

export interface OwnedShardsOptions {
  readonly database: Database
  readonly owner: string
  readonly partitions: number
  readonly leaseMs: number
  /** @returns ms, monotonic */
  readonly now: () => number
}

export function openOwnedShards({ database, owner, partitions, leaseMs, now }: OwnedShardsOptions): OwnedShards {
  const all = new Map<number, OwnedShard>()
  let taking = true

  /** The lease counts from before the statement, so that it ends here no later than there. */
  function keep(held: readonly HeldShard[], leaseEndsAtMs: number): void {
    const fences = new Map(held.map(({ shard, fence }) => [shard, fence]))
    for (const owned of all.values()) {
      if (fences.get(owned.shard) === owned.fence) owned.leaseEndsAtMs = leaseEndsAtMs
      else forget(owned)
    }
    for (const { shard, fence } of held) {
      if (!all.has(shard))
        all.set(shard, { shard, fence, leaseEndsAtMs, low: 0, flying: new Set(), draining: !taking, lost: false })
    }
  }

  function forget(owned: OwnedShard): void {
    owned.lost = true
    all.delete(owned.shard)
  }

  function drainSurplus(live: number): void {
    const residues = new Set<number>()
    for (const { shard, draining } of all.values()) if (!draining) residues.add(shard % partitions)
    const surplus = [...residues].sort((a, b) => a - b).slice(Math.ceil(partitions / live))
    for (const owned of all.values()) if (surplus.includes(owned.shard % partitions)) owned.draining = true
  }

  /** Whole residues, since the row that stands for one is granted with all of it. */
  async function releaseResting(): Promise<void> {
    const draining = [...all.values()].filter((owned) => owned.draining)
    const busy = new Set(draining.filter(({ flying }) => flying.size > 0).map(({ shard }) => shard % partitions))
    const resting = draining.filter(({ shard }) => !busy.has(shard % partitions))
    if (resting.length === 0) return
    for (const owned of resting) forget(owned)
    await releaseShards(database, owner, resting)
  }

  return {
    all,
    heartbeat: async () => {
      const leaseEndsAtMs = now() + leaseMs
      const { live, held } = await leaseShards(database, { owner, partitions, leaseMs, taking })
      keep(held, leaseEndsAtMs)
      drainSurplus(live)
      await releaseResting()
    },
    forgetMarks: () => {
      for (const owned of all.values()) owned.low = 0
    },
    stopTaking: () => {
      taking = false
      for (const owned of all.values()) owned.draining = true
    },
    leave: async () => {
      for (const owned of all.values()) forget(owned)
      await leaveRelays(database, owner)
    },
  }
}
