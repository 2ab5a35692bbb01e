/** Controls of one key each. An empty one takes its key away, so that the default applies. */
import type { ComponentChildren } from 'preact'
import { Field } from '../../parts/field.tsx'
import { MASK, textAt } from './document.ts'
import type { Form } from './form.ts'
import { textsAt } from './problems.ts'

export interface KeyProps {
  readonly form: Form
  readonly at: string
  readonly label: string
  readonly hint?: ComponentChildren
}

interface TextProps extends KeyProps {
  readonly placeholder?: string
  readonly isWide?: boolean
}

export function TextField({ form, at, label, hint, placeholder, isWide = false }: TextProps) {
  return (
    <Field id={at} label={label} hint={hint} problems={textsAt(form.problems, at)} isWide={isWide}>
      {(control) => (
        <input
          {...control}
          value={textAt(form.document, at)}
          placeholder={placeholder}
          readOnly={form.isReadOnly}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget: { value } }) => form.set(at, value === '' ? undefined : value)}
        />
      )}
    </Field>
  )
}

export function NumberField({ form, at, label, hint }: KeyProps) {
  return (
    <Field id={at} label={label} hint={hint} problems={textsAt(form.problems, at)}>
      {(control) => (
        <input
          {...control}
          inputMode="numeric"
          value={textAt(form.document, at)}
          readOnly={form.isReadOnly}
          onInput={({ currentTarget: { value } }) => form.set(at, numberOr(value))}
        />
      )}
    </Field>
  )
}

/** What is no number goes to the API as it is, which says so. */
function numberOr(text: string): number | string | undefined {
  if (text === '') return undefined
  return /^-?\d+$/.test(text) ? Number(text) : text
}

interface ChoiceProps extends KeyProps {
  readonly options: Readonly<Record<string, string>>
}

export function ChoiceField({ form, at, label, hint, options }: ChoiceProps) {
  return (
    <Field id={at} label={label} hint={hint} problems={textsAt(form.problems, at)}>
      {(control) => (
        <select
          {...control}
          value={textAt(form.document, at)}
          disabled={form.isReadOnly}
          onChange={({ currentTarget: { value } }) => form.set(at, value === '' ? undefined : value)}
        >
          {Object.entries(options).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

export function SecretField({ form, at, label, hint }: KeyProps) {
  return (
    <SecretControl
      id={at}
      label={label}
      hint={hint}
      value={textAt(form.document, at)}
      stored={textAt(form.base, at)}
      problems={textsAt(form.problems, at)}
      isReadOnly={form.isReadOnly}
      onInput={(value) => form.set(at, value === '' ? undefined : value)}
    />
  )
}

interface SecretProps {
  readonly id: string
  readonly label: string
  readonly hint?: ComponentChildren
  readonly value: string
  readonly stored: string
  readonly problems: readonly string[]
  readonly isReadOnly: boolean
  readonly onInput: (value: string) => void
}

/** Shows a stored secret as the API does; what is typed replaces it, and an empty field keeps it. */
export function SecretControl({ id, label, hint, value, stored, problems, isReadOnly, onInput }: SecretProps) {
  const isStored = stored === MASK
  const isKept = value === MASK
  const isRemoved = isStored && value === ''
  const state = isKept ? 'Stored. Type to replace it.' : isRemoved ? 'Removed when you save.' : ''
  return (
    <div class="secret">
      <Field id={id} label={label} hint={[state, hint].filter((part) => part).join(' ')} problems={problems}>
        {(control) => (
          <input
            {...control}
            type="password"
            autocomplete="new-password"
            value={isKept ? '' : value}
            placeholder={isKept ? MASK : ''}
            readOnly={isReadOnly}
            onInput={({ currentTarget }) => onInput(currentTarget.value || (isStored ? MASK : ''))}
          />
        )}
      </Field>
      {isStored && !isReadOnly && (
        <button type="button" class="quiet" onClick={() => onInput(isRemoved ? MASK : '')}>
          {isRemoved ? 'Keep' : 'Remove'} <span class="visually-hidden">the stored {label.toLowerCase()}</span>
        </button>
      )}
    </div>
  )
}
