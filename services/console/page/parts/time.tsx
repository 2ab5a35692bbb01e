import { absoluteTime, relativeTime } from '../format.ts'
import { now } from './now.ts'

/** An instant as people say it, exact on hover and for machines. */
export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={absoluteTime(at)}>
      {relativeTime(at, now.value)}
    </time>
  )
}
