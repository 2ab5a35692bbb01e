/** What happened, in order, each step with the time since the one before. */
import type { ComponentChildren } from 'preact'
import { absoluteTime, duration, words } from '../../format.ts'
import { type Attempt, type MessageDetail, replyOf } from './detail.ts'

interface Step {
  readonly at: number
  readonly title: string
  readonly tone: 'good' | 'wait' | 'bad' | 'off'
  readonly text?: ComponentChildren
}

export function Timeline({ message }: { message: MessageDetail }) {
  const steps = stepsOf(message)
  return (
    <div class="card">
      <ol class="timeline">
        {steps.map((step, index) => (
          <li key={`${step.at} ${step.title}`} data-tone={step.tone}>
            <div>
              <b>{step.title}</b>{' '}
              <time dateTime={new Date(step.at).toISOString()} class="faint">
                {absoluteTime(step.at)}
              </time>{' '}
              {index > 0 && <span class="faint">+{duration(Math.max(0, step.at - steps[index - 1]!.at))}</span>}
            </div>
            {step.text && <div class="step-text">{step.text}</div>}
          </li>
        ))}
      </ol>
    </div>
  )
}

function stepsOf(message: MessageDetail): Step[] {
  const created: Step = {
    at: Date.parse(message.created_at),
    title: 'Accepted',
    tone: 'off',
    text: 'In the outbox, in the transaction that caused it.',
  }
  const attempts = (message.dispatches ?? []).toReversed().flatMap(stepsOfAttempt)
  return [created, ...attempts, ...endOf(message), ...waitsOf(message)]
}

/** What comes next while it is not over. */
function waitsOf({ blocked_by, next_attempt_at }: MessageDetail): Step[] {
  if (blocked_by !== null)
    return [
      {
        at: Date.parse(blocked_by.next_probe_at),
        title: 'Next look at the channel',
        tone: 'wait',
        text: `${blocked_by.message}. It goes out with the first one that succeeds.`,
      },
    ]
  if (next_attempt_at === null) return []
  return [{ at: Date.parse(next_attempt_at), title: 'Next attempt', tone: 'wait', text: 'Unless it is cancelled.' }]
}

function stepsOfAttempt(attempt: Attempt): Step[] {
  const endedAt = Date.parse(attempt.created_at)
  const { connect = 0, send = 0 } = attempt.durations_ms
  const place = attempt.peer === null ? attempt.provider : `${attempt.peer.host}:${attempt.peer.port}`
  const reply = [attempt.reply_code, attempt.enhanced_code].filter((code) => code !== null).join(' ')
  const isGood = attempt.status === 'success'
  return [
    {
      at: endedAt - connect - send,
      title: `Attempt ${attempt.dispatch}`,
      tone: 'off',
      text: `${place ?? 'no server'}${attempt.worker === null ? '' : `, by ${attempt.worker}`}`,
    },
    {
      at: endedAt,
      title: isGood ? 'Accepted by the server' : words(attempt.state),
      tone: isGood ? 'good' : attempt.state === 'deferred' ? 'wait' : 'bad',
      text: (
        <>
          {reply !== '' && <code>{reply}</code>} {replyOf(attempt)}
          {attempt.decision !== null && !isGood && <span class="faint"> Decision: {words(attempt.decision)}.</span>}
        </>
      ),
    },
  ]
}

/** An end that no attempt brought about: expired, cancelled, replaced, or told by the provider later. */
function endOf({ state, updated_at, last_error, dispatches = [] }: MessageDetail): Step[] {
  const isTold = dispatches[0]?.state === state || /^(queued|deferred|sent|held)$/.test(state)
  if (isTold) return []
  const tone = state === 'delivered' ? 'good' : /^(cancelled|superseded|suppressed)$/.test(state) ? 'off' : 'bad'
  return [{ at: Date.parse(updated_at), title: words(state), tone, ...(last_error !== null && { text: last_error }) }]
}
