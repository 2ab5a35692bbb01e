/** The two ends of the form: what was wrong at its top, save and discard at its bottom. */
import { useEffect, useRef } from 'preact/hooks'
import { controlOf, type Problem } from './problems.ts'

interface SaveBarProps {
  readonly changeCount: number
  readonly isSaving: boolean
  readonly onDiscard: () => void
}

/** In reach as long as something is not saved. */
export function SaveBar({ changeCount, isSaving, onDiscard }: SaveBarProps) {
  if (changeCount === 0) return null
  return (
    <div class="save-bar">
      <span role="status">
        {changeCount} unsaved {changeCount === 1 ? 'change' : 'changes'}
      </span>
      <button type="button" onClick={onDiscard}>
        Discard
      </button>
      <button type="submit" class="primary" disabled={isSaving}>
        Save
      </button>
    </div>
  )
}

/** Takes the focus when it appears; each line leads to its control. */
export function ErrorSummary({ problems }: { problems: readonly Problem[] }) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (problems.length > 0) box.current?.focus()
  }, [problems])
  if (problems.length === 0) return null
  const go = (event: Event, key: string): void => {
    event.preventDefault()
    const control = controlOf(key) ?? document.getElementById('raw')
    control?.focus()
  }
  return (
    <div class="notice summary" data-tone="bad" role="alert" tabIndex={-1} ref={box}>
      <p>
        <b>Nothing was stored.</b>
      </p>
      <ul>
        {problems.map(({ key, text }) => (
          <li key={key + text}>
            {key !== '' && (
              <a href={`#${key}`} onClick={(event) => go(event, key)}>
                {key}
              </a>
            )}{' '}
            {text}
          </li>
        ))}
      </ul>
    </div>
  )
}
