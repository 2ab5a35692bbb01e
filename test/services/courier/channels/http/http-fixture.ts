/** A provider, a channel to it, and sending as a promise. */
import { randomUUID } from 'node:crypto'
import { type Engine, openEngine } from '#libs/engine'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { openGuard, openResources } from '#libs/resources'
import type { AttemptResult, Channel, OutgoingMail } from '../../../../../services/courier/channels/channel.ts'
import { openHttpChannel } from '../../../../../services/courier/channels/http/http-channel.ts'
import type { HttpChannelOptions, RequestConfig } from '../../../../../services/courier/channels/http/http-options.ts'
import { type HttpSink, openHttpSink, type SinkAnswer } from '../../../../support/http-sink.ts'

export interface Fixture extends AsyncDisposable {
  readonly sink: HttpSink
  readonly channel: Channel
  readonly send: (more?: Partial<OutgoingMail>, stillWanted?: () => boolean) => Promise<AttemptResult>
}

export type FixtureOptions = Partial<Omit<HttpChannelOptions, 'requestConfig'>> & {
  readonly config?: Partial<RequestConfig>
  /** Behind the sink's address. */
  readonly path?: string
}

/** One for all tests of a file: its process starts with the first body and keeps no other alive. */
export const engine: Engine = openEngine({ workers: 1, timeoutMs: 5_000 })

export function outgoingMail(more: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    messageId: randomUUID(),
    projectId: DEFAULT_PROJECT_ID,
    messageType: 'email',
    templateType: 'login_code_valid',
    templateData: { to: 'ada@example.org', login_code: '731904' },
    requestHeaders: {},
    dispatch: 1,
    recipient: 'ada@example.org',
    subject: 'Your code',
    text: 'Use 731904 to log in.\n',
    html: '<p>Use 731904 to log in.</p>',
    date: new Date('2026-01-02T03:04:05Z'),
    deadline: Date.now() + 60_000,
    ...more,
  }
}

export function openChannel(url: string, options: FixtureOptions = {}): Channel {
  const { config, path: _, ...more } = options
  const guard = more.guard ?? openGuard({ disallowPrivate: false })
  return openHttpChannel({
    requestConfig: { url, method: 'POST', headers: {}, ...config },
    engine,
    resources: openResources({ guard, retryDelayMs: 1 }),
    guard,
    maxConnections: 1,
    ...more,
  })
}

export async function openFixture(options: FixtureOptions = {}, answer?: SinkAnswer): Promise<Fixture> {
  const sink = await openHttpSink(answer)
  const channel = openChannel(sink.origin + (options.path ?? '/send'), options)
  return {
    sink,
    channel,
    send: (more, stillWanted) => sendBy(channel, outgoingMail(more), stillWanted),
    [Symbol.asyncDispose]: async () => {
      await channel.close()
      await sink[Symbol.asyncDispose]()
    },
  }
}

export function sendBy(channel: Channel, mail: OutgoingMail, stillWanted?: () => boolean): Promise<AttemptResult> {
  return new Promise((resolve) => channel.send(mail, resolve, stillWanted))
}

export function base64(source: string): string {
  return `base64://${Buffer.from(source).toString('base64')}`
}
