import type { ChannelId } from '#libs/messages'
import { renderMessage, sampleData } from '#libs/templates'
import type { OutgoingMail } from '../../services/courier/channels/channel.ts'

export interface SampleOf {
  readonly templateType: string
  readonly channel: ChannelId
}

/** A mail with complete data, to see what a payload template makes of it. */
export function sampleMail({ templateType, channel }: SampleOf): OutgoingMail {
  const templateData = sampleData(templateType, channel)
  return {
    messageId: '0198f6c2-4e1b-7d3a-9c5e-2f7a1b8d6e40',
    projectId: '00000000-0000-4000-8000-000000000000',
    messageType: channel,
    templateType,
    templateData,
    requestHeaders: { 'Accept-Language': ['en'] },
    dispatch: 1,
    recipient: String(templateData.to),
    ...renderMessage({ templateType, channel, data: templateData }),
    date: new Date(0),
    deadline: 0,
  }
}
