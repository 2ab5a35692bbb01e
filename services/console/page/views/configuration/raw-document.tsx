/** The whole document as JSON: for keys that no field shows. */
import { useState } from 'preact/hooks'
import { Copy } from '../../parts/copy.tsx'
import { Field } from '../../parts/field.tsx'
import { type Doc, isObject } from './document.ts'
import type { Form } from './form.ts'

interface RawDocumentProps {
  readonly form: Form
  readonly onReplace: (document: Doc) => void
}

export function RawDocument({ form, onReplace }: RawDocumentProps) {
  const shown = JSON.stringify(form.document, undefined, 2)
  // Holds while the document is the one that came of it: text that is rewritten while it is typed cannot be typed.
  const [typed, setTyped] = useState<{ readonly text: string; readonly document: Doc }>()
  const text = typed?.document === form.document ? typed.text : shown
  const read = parse(text)
  const input = (next: string): void => {
    const { document } = parse(next)
    setTyped({ text: next, document: document ?? form.document })
    if (document !== undefined) onReplace(document)
  }
  return (
    <section class="card">
      <Field
        id="raw"
        label="Identity config as JSON"
        hint="Templates of your own, lifespans and every other key. ******** keeps the secret that is stored there."
        problems={read.problem === undefined ? [] : [read.problem]}
      >
        {(control) => (
          <textarea
            {...control}
            rows={20}
            spellcheck={false}
            value={text}
            readOnly={form.isReadOnly}
            onInput={({ currentTarget }) => input(currentTarget.value)}
            onBlur={() => read.problem === undefined && setTyped(undefined)}
          />
        )}
      </Field>
      <p class="hint">
        On the command line: <code>postrider get identity-config</code>
        <Copy text={shown} what="identity config" />
      </p>
    </section>
  )
}

function parse(text: string): { readonly document?: Doc; readonly problem?: string } {
  try {
    const document: unknown = JSON.parse(text)
    return isObject(document) ? { document } : { problem: 'Expected an object in braces. It is not used so far.' }
  } catch (error) {
    return { problem: `No JSON yet, and so not used: ${(error as Error).message}.` }
  }
}
