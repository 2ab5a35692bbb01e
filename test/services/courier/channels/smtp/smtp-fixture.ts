/** A sink, a channel to it, and sending as a promise. */
import { randomUUID } from 'node:crypto'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { parseSmtpUri } from '#libs/smtp'
import type { AttemptResult, Channel, OutgoingMail } from '../../../../../services/courier/channels/channel.ts'
import type { SmtpChannelOptions } from '../../../../../services/courier/channels/smtp/smtp-options.ts'
import { openSmtpChannel } from '../../../../../services/courier/channels/smtp/smtp-pool.ts'
import { openSmtpSink, type SinkScript, type SmtpSink } from '../../../../support/smtp-sink.ts'

export interface Fixture extends AsyncDisposable {
  readonly sink: SmtpSink
  readonly channel: Channel
  readonly send: (
    recipient: string,
    more?: Partial<OutgoingMail>,
    stillWanted?: () => boolean,
  ) => Promise<AttemptResult>
}

export function outgoingMail(recipient: string, more: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    messageId: randomUUID(),
    projectId: DEFAULT_PROJECT_ID,
    messageType: 'email',
    templateType: 'login_code_valid',
    templateData: {},
    requestHeaders: {},
    dispatch: 1,
    recipient,
    subject: 'Your code',
    text: 'Use 123456 to log in.\n',
    date: new Date('2026-01-02T03:04:05Z'),
    deadline: Date.now() + 60_000,
    ...more,
  }
}

/** In clear unless `uri` says otherwise; PORT in it stands for the sink's. */
export async function openFixture(
  script: SinkScript = {},
  options: Partial<SmtpChannelOptions> = {},
  uri = 'smtp://127.0.0.1:PORT/?disable_starttls=true',
): Promise<Fixture> {
  const sink = await openSmtpSink(script)
  const channel = openChannel(uri.replace('PORT', String(sink.port)), options)
  return {
    sink,
    channel,
    send: (recipient, more, stillWanted) => sendBy(channel, outgoingMail(recipient, more), stillWanted),
    [Symbol.asyncDispose]: async () => {
      await channel.close()
      await sink[Symbol.asyncDispose]()
    },
  }
}

export function openChannel(uri: string, options: Partial<SmtpChannelOptions> = {}): Channel {
  return openSmtpChannel({
    target: parseSmtpUri(uri),
    from: { address: 'no-reply@example.org', name: 'Example' },
    headers: {},
    localName: 'client.example.org',
    maxConnections: 1,
    drainMs: 100,
    ...options,
  })
}

export function sendBy(channel: Channel, mail: OutgoingMail, stillWanted?: () => boolean): Promise<AttemptResult> {
  return new Promise((resolve) => channel.send(mail, resolve, stillWanted))
}
