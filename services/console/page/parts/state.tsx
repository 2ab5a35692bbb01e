/** A message's state as a badge: colour, shape and word, so that none has to be told from colour alone. */
import { words } from '../format.ts'

const TONES: Readonly<Record<string, 'good' | 'wait' | 'bad' | 'off'>> = {
  queued: 'wait',
  deferred: 'wait',
  held: 'wait',
  sent: 'good',
  delivered: 'good',
  bounced: 'bad',
  complained: 'bad',
  abandoned: 'bad',
  expired: 'bad',
  suppressed: 'off',
  superseded: 'off',
  cancelled: 'off',
}
const MARKS = { good: '✓', wait: '…', bad: '✕', off: '–' } as const

export function State({ of: state }: { of: string }) {
  const tone = TONES[state] ?? 'off'
  return (
    <span class="state" data-tone={tone}>
      <span aria-hidden="true">{MARKS[tone]}</span>
      {words(state)}
    </span>
  )
}
