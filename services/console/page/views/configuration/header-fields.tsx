/** Names and values of headers, whose stored values are masked. */
import { useState } from 'preact/hooks'
import { isObject, MASK, valueAt } from './document.ts'
import type { Form } from './form.ts'
import { textsWithin } from './problems.ts'

interface HeaderFieldsProps {
  readonly form: Form
  readonly at: string
  readonly label: string
}

type Row = readonly [name: string, value: string]

export function HeaderFields({ form, at, label }: HeaderFieldsProps) {
  const { rows, change } = useRows(form, at)
  const problems = textsWithin(form.problems, at)
  const replace = (index: number, row: Row): void => change(rows.map((each, place) => (place === index ? row : each)))
  return (
    <fieldset class="header-fields" id={at} tabIndex={-1} aria-describedby={problems.length > 0 ? `${at}-problem` : ''}>
      <legend>{label}</legend>
      {rows.map(([name, value], index) => (
        <div class="header-row" key={index}>
          <input
            aria-label={`Name of header ${index + 1}`}
            placeholder="X-Header"
            value={name}
            readOnly={form.isReadOnly}
            onInput={({ currentTarget }) => replace(index, [currentTarget.value, value])}
          />
          <input
            aria-label={`Value of header ${index + 1}`}
            placeholder={value === MASK ? MASK : ''}
            value={value === MASK ? '' : value}
            readOnly={form.isReadOnly}
            onInput={({ currentTarget }) => replace(index, [name, currentTarget.value || storedValue(form, at, name)])}
          />
          {!form.isReadOnly && (
            <button
              type="button"
              class="quiet"
              aria-label={`Remove header ${name || index + 1}`}
              onClick={() => change(rows.filter((_, place) => place !== index))}
            >
              ✕
            </button>
          )}
        </div>
      ))}
      {problems.length > 0 && (
        <p id={`${at}-problem`} class="field-problem">
          {problems.join(' ')}
        </p>
      )}
      {!form.isReadOnly && (
        <button type="button" onClick={() => change([...rows, ['', '']])}>
          Add a header
        </button>
      )}
    </fieldset>
  )
}

/** Rows without a name are not in the document yet. */
function useRows(form: Form, at: string) {
  const value = valueAt(form.document, at)
  const stored = JSON.stringify(isObject(value) ? value : {})
  const [typed, setTyped] = useState<readonly Row[]>([])
  const isMine = JSON.stringify(objectOf(typed)) === stored
  const change = (rows: readonly Row[]): void => {
    setTyped(rows)
    form.set(at, objectOf(rows))
  }
  const rows = isMine ? typed : Object.entries(JSON.parse(stored) as Record<string, string>)
  return { rows, change }
}

function objectOf(rows: readonly Row[]): Record<string, string> {
  return Object.fromEntries(rows.filter(([name]) => name !== ''))
}

function storedValue(form: Form, at: string, name: string): string {
  const stored = valueAt(form.base, at)
  return isObject(stored) && stored[name] === MASK ? MASK : ''
}
