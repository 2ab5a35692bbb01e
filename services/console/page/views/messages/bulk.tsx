/** Retry or cancel everything that the filter shows: counted first, done after a yes. */
import { post } from '../../api.ts'
import { count } from '../../format.ts'
import { query } from '../../location.ts'
import { confirm } from '../../parts/confirm.tsx'
import { attempt } from '../../parts/toast.tsx'
import { filterBody } from './filters.tsx'
import { MESSAGES } from './message.ts'

interface Counted {
  readonly count: number
  readonly skipped?: number
}

const ACTIONS = {
  retry: { label: 'Retry all', question: 'Retry now', effect: 'They are tried at once instead of at their time.' },
  cancel: { label: 'Cancel all', question: 'Cancel', effect: 'They are never sent. This cannot be undone.' },
} as const

export function Bulk({ onDone }: { onDone: () => void }) {
  const run = (name: keyof typeof ACTIONS) => (): Promise<boolean> =>
    attempt(async () => {
      const filter = filterBody(query.value)
      const { body: dry } = await post<Counted>(`${MESSAGES}/${name}`, { ...filter, dry_run: true })
      const { question, effect } = ACTIONS[name]
      if (dry.count === 0) return 'No message of this list is waiting.'
      const what = `${question} ${count(dry.count)} ${dry.count === 1 ? 'message' : 'messages'}`
      if (!(await confirm(`${what}?`, effect, what))) return undefined
      const { body: done } = await post<Counted>(`${MESSAGES}/${name}`, filter)
      onDone()
      return `${count(done.count)} done${done.skipped ? `, ${count(done.skipped)} were being sent or over already` : ''}`
    })
  return (
    <>
      <button type="button" onClick={run('retry')}>
        {ACTIONS.retry.label}
      </button>
      <button type="button" class="danger" onClick={run('cancel')}>
        {ACTIONS.cancel.label}
      </button>
    </>
  )
}
