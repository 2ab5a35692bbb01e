/** The Jsonnet that makes a request's body: the built-in one, text that is stored with the configuration, or a URI. */
import { Field } from '../../parts/field.tsx'
import { decodeBody, EMBEDDED, encodeBody } from './body-text.ts'
import { DEFAULT_BODY } from './default-body.ts'
import { textAt } from './document.ts'
import type { Form } from './form.ts'
import { TextField } from './form-fields.tsx'
import { textsAt } from './problems.ts'

const KINDS = { builtin: 'Built-in', text: 'Own Jsonnet', uri: 'From a URI' } as const
type Kind = keyof typeof KINDS

interface BodyFieldProps {
  readonly form: Form
  readonly at: string
}

export function BodyField({ form, at }: BodyFieldProps) {
  const uri = textAt(form.document, at)
  const kind = kindOf(uri)
  const START: Readonly<Record<Kind, string | undefined>> = {
    builtin: undefined,
    text: encodeBody(DEFAULT_BODY),
    uri: 'https://',
  }
  return (
    <div class="wide">
      <Field id={`${at}-kind`} label="Body of the request">
        {(control) => (
          <select
            {...control}
            value={kind}
            disabled={form.isReadOnly}
            onChange={({ currentTarget }) => form.set(at, START[currentTarget.value as Kind])}
          >
            {Object.entries(KINDS).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      {kind === 'uri' && <TextField form={form} at={at} label="URI of the Jsonnet" isWide />}
      {kind === 'text' && <Jsonnet form={form} at={at} text={decodeBody(uri)} />}
      {kind === 'builtin' && (
        <details>
          <summary>The built-in Jsonnet</summary>
          <pre>{DEFAULT_BODY}</pre>
        </details>
      )}
    </div>
  )
}

function Jsonnet({ form, at, text }: BodyFieldProps & { text: string }) {
  return (
    <Field
      id={at}
      label="Jsonnet"
      problems={textsAt(form.problems, at)}
      hint="ctx has Recipient, TemplateType, TemplateData, Subject and Body. Stored within the configuration."
    >
      {(control) => (
        <textarea
          {...control}
          rows={14}
          spellcheck={false}
          value={text}
          readOnly={form.isReadOnly}
          onInput={({ currentTarget }) => form.set(at, encodeBody(currentTarget.value))}
        />
      )}
    </Field>
  )
}

function kindOf(uri: string): Kind {
  if (uri === '') return 'builtin'
  return uri.startsWith(EMBEDDED) ? 'text' : 'uri'
}
