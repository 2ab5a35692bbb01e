import type { MessageRecord } from '#libs/messages'
import type { Blockage } from './admission/breaker.ts'
import type { Channel } from './channels/channel.ts'

export interface SelectedChannel {
  /** Names the channel in events, metrics and the ready row: of a project with a target of its own, or of all others. */
  readonly key: string
  readonly port: Channel
  /** What stands in the way now; undefined while the channel is open. */
  readonly blockage: () => Blockage | undefined
  /** Places that notices leave free for urgent mail. */
  readonly reserved: number
  /** Host of the provider, for events. */
  readonly provider: string
  /** The provider that takes what this one does not, where one is configured. */
  readonly next?: SelectedChannel | undefined
}

/** The channel that delivers a message; undefined where none is configured for it. */
export type SelectChannel = (record: MessageRecord) => SelectedChannel | undefined
