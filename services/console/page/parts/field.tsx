/** One control with its label, what it means and what is wrong with it; both texts are tied to the control. */
import type { ComponentChildren, JSX } from 'preact'
import '../styles/form.css'

/** What the control itself has to carry. */
export interface ControlProps {
  readonly id: string
  readonly 'aria-describedby'?: string
  readonly 'aria-invalid'?: true
}

interface FieldProps {
  readonly id: string
  readonly label: string
  readonly hint?: ComponentChildren
  readonly problems?: readonly string[]
  readonly isWide?: boolean
  readonly children: (control: ControlProps) => JSX.Element
}

export function Field({ id, label, hint, problems = [], isWide = false, children }: FieldProps) {
  const isInvalid = problems.length > 0
  const told = [hint ? `${id}-hint` : '', isInvalid ? `${id}-problem` : ''].filter((part) => part !== '').join(' ')
  const control: ControlProps = {
    id,
    ...(told !== '' && { 'aria-describedby': told }),
    ...(isInvalid && { 'aria-invalid': true }),
  }
  return (
    <div class={isWide ? 'field wide' : 'field'}>
      <label for={id}>{label}</label>
      {children(control)}
      {isInvalid && (
        <p id={`${id}-problem`} class="field-problem">
          {problems.join(' ')}
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      )}
    </div>
  )
}
