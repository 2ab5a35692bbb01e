/** Asks before something that cannot be undone; the dialog element brings focus, Escape and the backdrop. */
import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'

interface Question {
  readonly title: string
  readonly text: string
  readonly action: string
  readonly answer: (isYes: boolean) => void
}

const asked = signal<Question | undefined>(undefined)

/** @param action what the button says, such as "Cancel 12 messages" */
export function confirm(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    asked.value = { title, text, action, answer: resolve }
  })
}

export function Confirm() {
  const dialog = useRef<HTMLDialogElement>(null)
  const question = asked.value
  useEffect(() => {
    if (question !== undefined) dialog.current?.showModal()
  }, [question])
  if (question === undefined) return null
  const close = (isYes: boolean): void => {
    asked.value = undefined
    question.answer(isYes)
  }
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onCancel={() => close(false)}>
      <h2 id="confirm-title">{question.title}</h2>
      <p>{question.text}</p>
      <div class="actions">
        <button type="button" onClick={() => close(false)}>
          Keep as it is
        </button>
        <button type="button" class="primary" onClick={() => close(true)}>
          {question.action}
        </button>
      </div>
    </dialog>
  )
}
