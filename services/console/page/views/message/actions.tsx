import { ApiError, post } from '../../api.ts'
import { hrefOf, navigate } from '../../location.ts'
import { confirm } from '../../parts/confirm.tsx'
import { attempt } from '../../parts/toast.tsx'
import { mayOperate } from '../../session.ts'
import { MESSAGES } from '../messages/message.ts'
import type { MessageDetail } from './detail.ts'

const WAITING = /^(queued|deferred|held)$/

/** Retry now and cancel while it waits, resend when it is over. What the API refuses is told in its words. */
export function Actions({ message, onDone }: { message: MessageDetail; onDone: () => void }) {
  const { id, state, recipient } = message
  if (!mayOperate()) return null
  const act = (name: 'retry' | 'cancel' | 'resend') =>
    post<{ id: string }>(`${MESSAGES}/${id}/${name}`).catch(explained)
  const retry = (): Promise<boolean> =>
    attempt(async () => {
      await act('retry')
      onDone()
      return 'It is tried again now.'
    })
  const cancel = (): Promise<boolean> =>
    attempt(async () => {
      if (!(await confirm('Cancel this message?', `${recipient} never gets it.`, 'Cancel message'))) return undefined
      await act('cancel')
      onDone()
      return 'Cancelled. It is never sent.'
    })
  const resend = (): Promise<boolean> =>
    attempt(async () => {
      const { body } = await act('resend')
      navigate(hrefOf(`/messages/${body.id}`))
      return 'Sent again as a new message: this one.'
    })
  return (
    <div class="toolbar-group">
      {(state === 'deferred' || state === 'held') && (
        <button type="button" class="primary" onClick={retry}>
          Retry now
        </button>
      )}
      {WAITING.test(state) && (
        <button type="button" class="danger" onClick={cancel}>
          Cancel
        </button>
      )}
      {!WAITING.test(state) && (
        <button type="button" onClick={resend}>
          Resend
        </button>
      )}
    </div>
  )
}

function explained(error: unknown): never {
  const state = error instanceof ApiError ? error.details.state : undefined
  throw typeof state === 'string' ? new Error(`${(error as Error).message} (it is ${state})`) : error
}
