/** What an attempt over SMTP tells of connections and commands. */
import type { Meter } from '@opentelemetry/api'
import { openAttributeSets, openTally } from '#libs/telemetry'
import type { AttemptResult } from './channels/channel.ts'

const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** To be told of every attempt over SMTP. */
export function openSmtpMetrics(meter: Meter): (channel: string, attempt: AttemptResult) => void {
  const connects = openTally(meter, 'courier.smtp.connects', {
    unit: '{connection}',
    description: 'Connections that were opened for an attempt; with error.type, those that did not come about',
  })
  const refusals = openTally(meter, 'courier.smtp.refusals', {
    unit: '{reply}',
    description: 'Replies that did not accept, by command and code',
  })
  const connecting = meter.createHistogram('courier.smtp.connect.duration', {
    unit: 's',
    description: 'Opening a connection, by phase',
    advice: { explicitBucketBoundaries: BUCKETS_S },
  })
  const commands = meter.createHistogram('courier.smtp.command.duration', {
    unit: 's',
    description:
      'MAIL: the envelope, to the reply to RCPT; DATA: until the whole mail has left; DOT: from then to the reply',
    advice: { explicitBucketBoundaries: BUCKETS_S },
  })
  const setOf = openAttributeSets()

  return (channel, { timings, reply, failure, peer }) => {
    if (timings.connectMs !== undefined) {
      const error = failure !== undefined && isOfConnection(failure.command) ? failure.class : undefined
      const version = peer?.tls
      connects.add(`${channel} ${error} ${version}`, () => ({
        channel,
        ...(error !== undefined && { 'error.type': error }),
        ...(version !== undefined && { 'tls.protocol.version': version }),
      }))
      for (const phase of CONNECTING) {
        const ms = timings.phases?.[phase]
        if (ms !== undefined)
          connecting.record(
            ms / 1_000,
            setOf(`${channel} ${phase}`, () => ({ channel, phase })),
          )
      }
    }
    for (const [phase, command] of COMMANDS) {
      const ms = timings.phases?.[phase]
      if (ms !== undefined)
        commands.record(
          ms / 1_000,
          setOf(`${channel} ${command}`, () => ({ channel, command })),
        )
    }
    if (failure !== undefined && reply !== undefined) {
      refusals.add(`${channel} ${reply.command} ${reply.code}`, () => ({
        channel,
        command: reply.command,
        code: String(reply.code),
      }))
    }
  }
}

const CONNECTING = ['dns', 'tcp', 'tls', 'auth'] as const
const COMMANDS = [
  ['mail', 'MAIL'],
  ['data', 'DATA'],
  ['dot', 'DOT'],
] as const
const OF_CONNECTION = new Set(['CONNECT', 'EHLO', 'STARTTLS', 'AUTH'])

function isOfConnection(command: string | undefined): boolean {
  return command !== undefined && OF_CONNECTION.has(command)
}
