import type { MessageRecord } from '#libs/messages'
import type { Channel } from './channels/channel.ts'

export interface SelectedChannel {
  /** Names the channel in events, metrics and the ready row. */
  readonly key: string
  readonly port: Channel
  /** Places that notices leave free for urgent mail. */
  readonly reserved: number
  /** Host of the provider, for events. */
  readonly provider: string
}

/** The channel that delivers a message; undefined where none is configured for it. */
export type SelectChannel = (record: MessageRecord) => SelectedChannel | undefined

/** One channel per kind of address, the same for every project. */
export function openSelectChannel(channels: ReadonlyMap<string, SelectedChannel>): SelectChannel {
  return (record) => channels.get(record.channel)
}
