/** Every try: where it went, how long each phase took, what was answered and what was decided. */
import { duration, words } from '../../format.ts'
import { Empty } from '../../parts/notices.tsx'
import { Scroll } from '../../parts/scroll.tsx'
import { Time } from '../../parts/time.tsx'
import { type Attempt, type MessageDetail, replyOf } from './detail.ts'

export function Attempts({ message }: { message: MessageDetail }) {
  const { dispatches: attempts = [], blocked_by } = message
  if (attempts.length === 0)
    return (
      <Empty title="Not tried yet">
        {blocked_by === null
          ? 'The first attempt follows within a second.'
          : 'Its channel stands still; it costs no attempt.'}
      </Empty>
    )
  return (
    <>
      <Scroll label="Attempts">
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                #
              </th>
              <th scope="col">When</th>
              <th scope="col">Server</th>
              <th scope="col">Took</th>
              <th scope="col">Reply</th>
              <th scope="col">Then</th>
            </tr>
          </thead>
          <tbody>
            {attempts.map((attempt) => (
              <Row key={attempt.id} attempt={attempt} />
            ))}
          </tbody>
        </table>
      </Scroll>
      {attempts.map((attempt) => (
        <Conversation key={attempt.id} attempt={attempt} />
      ))}
    </>
  )
}

function Row({ attempt }: { attempt: Attempt }) {
  const { peer, reply_code, enhanced_code, command, decision, next_attempt_at } = attempt
  return (
    <tr>
      <td class="number">{attempt.dispatch}</td>
      <td class="nowrap">
        <Time at={attempt.created_at} />
      </td>
      <td>
        {peer === null ? attempt.provider : `${peer.host}:${peer.port}`}
        <div class="faint">
          {[
            peer?.address,
            peer?.tls ?? (peer === null ? undefined : 'no TLS'),
            attempt.reused ? 'connection reused' : undefined,
          ]
            .filter((part) => part !== undefined)
            .join(' · ')}
        </div>
      </td>
      <td class="nowrap">
        <Phases durations={attempt.durations_ms} />
      </td>
      <td data-tone={attempt.status === 'success' ? 'good' : 'bad'}>
        {reply_code !== null && (
          <code>
            {reply_code} {enhanced_code}
          </code>
        )}{' '}
        {replyOf(attempt)}
        {command !== null && <div class="faint">to {command}</div>}
      </td>
      <td>
        {decision !== null && words(decision)} {next_attempt_at !== null && <Time at={next_attempt_at} />}
      </td>
    </tr>
  )
}

const PHASES = ['queue', 'dns', 'tcp', 'tls', 'auth', 'connect', 'mail', 'data', 'dot', 'request', 'response', 'send']

function Phases({ durations }: { durations: Readonly<Record<string, number>> }) {
  const hasParts = ['tcp', 'mail', 'request'].some((phase) => phase in durations)
  const shown = PHASES.filter(
    (phase) => durations[phase] !== undefined && !(hasParts && /^(connect|send)$/.test(phase)),
  )
  return (
    <dl class="phases">
      {shown.map((phase) => (
        <div key={phase}>
          <dt>{phase}</dt>
          <dd>{duration(durations[phase]!)}</dd>
        </div>
      ))}
    </dl>
  )
}

function Conversation({ attempt }: { attempt: Attempt }) {
  if (attempt.conversation === null || attempt.conversation.length === 0) return null
  return (
    <details>
      <summary>Conversation of attempt {attempt.dispatch}</summary>
      <pre>{attempt.conversation.join('\n')}</pre>
    </details>
  )
}
