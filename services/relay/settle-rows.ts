/** Ends rows: removes what Kafka has, sets aside what nobody can take. One statement at a time; what ends meanwhile goes together. */
import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import { deleteRows, type RowPlace, setRowAside } from '#libs/outbox'
import { type Logger, traceFields } from '#libs/telemetry'
import type { Flight } from './flight.ts'

export interface Settler {
  readonly acked: (flights: readonly Flight[]) => void
  /** @param reason free of addresses, codes and data */
  readonly setAside: (flight: Flight, reason: string) => void
  /** Resolves when nothing is left to do, or after `deadlineMs`. */
  readonly drain: (deadlineMs: number) => Promise<void>
}

export interface SettlerOptions {
  readonly database: Database
  readonly owner: string
  readonly log: Logger
  /** Told after a row was set aside, so that its event is published. */
  readonly onSetAside: (flight: Flight) => void
  readonly onDatabaseError: () => void
}

interface Aside {
  readonly flight: Flight
  readonly reason: string
}

/** Acknowledgements of several partitions come close together. */
const GATHER_MS = 3
const RETRY_MS = 500
const REASON_LENGTH = 300

export function openSettler(options: SettlerOptions): Settler {
  const { database, owner, log } = options
  let acked: Flight[] = []
  const aside: Aside[] = []
  let running: Promise<void> | undefined

  function start(): void {
    running ??= run().finally(() => {
      running = undefined
    })
  }

  /** Until nothing is left. Never rejects: what fails is tried again, for removing twice does no harm. */
  async function run(): Promise<void> {
    await sleep(GATHER_MS)
    while (acked.length > 0 || aside.length > 0) {
      try {
        if (acked.length > 0) await removeAcked()
        if (aside.length > 0) await moveAside()
      } catch (error) {
        log.warn({ reason: messageOf(error), rows: acked.length + aside.length }, 'rows not removed yet')
        options.onDatabaseError()
        await sleep(RETRY_MS)
      }
    }
  }

  async function removeAcked(): Promise<void> {
    const flights = acked
    acked = []
    try {
      await deleteRows(database, owner, flights.map(placeOf))
    } catch (error) {
      acked = flights.concat(acked)
      throw error
    }
    for (const { owned, seq } of flights) owned.flying.delete(seq)
  }

  async function moveAside(): Promise<void> {
    const { flight, reason } = aside[0]!
    const { record, traceparent, owned, seq } = flight
    const value = record.value.toString()
    if (await setRowAside(database, owner, { ...placeOf(flight), key: record.key, value, traceparent, reason })) {
      log.error({ message_id: flight.id, ...traceFields(traceparent), reason }, 'row set aside')
      options.onSetAside(flight)
    }
    aside.shift()
    owned.flying.delete(seq)
  }

  return {
    acked: (flights) => {
      for (const flight of flights) acked.push(flight)
      start()
    },
    setAside: (flight, reason) => {
      aside.push({ flight, reason: reason.slice(0, REASON_LENGTH) })
      start()
    },
    drain: async (deadlineMs) => {
      if (running === undefined) return
      const given = new AbortController()
      await Promise.race([running, sleep(deadlineMs, given.signal)])
      given.abort()
    },
  }
}

function placeOf({ owned, seq }: Flight): RowPlace {
  return { shard: owned.shard, seq }
}
