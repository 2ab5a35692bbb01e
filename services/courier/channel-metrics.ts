/** What the channels say of themselves when somebody asks: nothing is kept. */
import type { Attributes, Meter } from '@opentelemetry/api'
import type { Blockage } from './admission/breaker.ts'
import type { SelectedChannel } from './select-channel.ts'

/** With more channels than that they are told together, by kind: a series for every project would be too many. */
const MOST_CHANNELS = 50
const CLOSED = 0
const HALF_OPEN = 1
const OPEN = 2

export function observeChannels(meter: Meter, all: () => Iterable<SelectedChannel>): void {
  observeBreakers(meter, all)
  observeConnections(meter, all)
}

function observeConnections(meter: Meter, all: () => Iterable<SelectedChannel>): void {
  meter
    .createObservableGauge('courier.smtp.connections', {
      unit: '{connection}',
      description: 'Open connections, of all projects together',
    })
    .addCallback((result) => {
      const sums = new Map<string, { idle: number; busy: number }>()
      for (const { key, port } of all()) {
        const open = port.connections?.()
        if (open === undefined) continue
        const { idle, busy } = sums.get(kindOf(key)) ?? { idle: 0, busy: 0 }
        sums.set(kindOf(key), { idle: idle + open.idle, busy: busy + open.busy })
      }
      for (const [channel, { idle, busy }] of sums) {
        result.observe(idle, { channel, state: 'idle' })
        result.observe(busy, { channel, state: 'busy' })
      }
    })
}

function observeBreakers(meter: Meter, all: () => Iterable<SelectedChannel>): void {
  const told = new Set<string>()
  meter
    .createObservableGauge('courier.breaker.state', {
      unit: '{state}',
      description: '0 closed, 1 about to be tried, 2 open: the worst of the channels of that name',
    })
    .addCallback((result) => {
      const nowMs = Date.now()
      const worst = new Map<string, number>()
      const channels = [...all()]
      const nameOf = channels.length < MOST_CHANNELS ? (key: string) => key : kindOf
      for (const { key, blockage } of channels) {
        const name = nameOf(key)
        worst.set(name, Math.max(worst.get(name) ?? CLOSED, stateOf(blockage(), nowMs)))
      }
      // A channel that is gone stays as it was told last, unless it is told.
      for (const name of worst.keys()) told.add(name)
      for (const name of told) result.observe(worst.get(name) ?? CLOSED, attributesOf(name))
    })
}

function stateOf(blockage: Blockage | undefined, nowMs: number): number {
  if (blockage === undefined) return CLOSED
  return nowMs >= blockage.nextProbeAtMs ? HALF_OPEN : OPEN
}

/** Keys of projects' own channels begin with the project's id. */
function kindOf(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}

function attributesOf(name: string): Attributes {
  const channel = kindOf(name)
  return channel === name ? { channel } : { channel, 'courier.project': name.slice(0, -channel.length - 1) }
}
