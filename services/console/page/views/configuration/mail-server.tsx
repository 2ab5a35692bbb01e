/** Where mail is handed over: the connection URI in separate fields, or as it is. */
import { useState } from 'preact/hooks'
import { Field } from '../../parts/field.tsx'
import { textAt } from './document.ts'
import type { Form } from './form.ts'
import { SecretControl, TextField } from './form-fields.tsx'
import {
  type MailParts,
  NO_PARTS,
  parseMailUri,
  printMailUri,
  SECURITY,
  type Security,
  withSecurity,
} from './mail-uri.ts'
import { textsAt } from './problems.ts'

interface MailServerProps {
  readonly form: Form
  readonly at: string
  readonly title: string
}

export function MailServer({ form, at, title }: MailServerProps) {
  const uri = textAt(form.document, at)
  const [isPlain, setPlain] = useState(parseMailUri(uri) === undefined)
  return (
    <fieldset class="fields">
      <legend>
        {title}
        <label class="check small">
          <input type="checkbox" checked={isPlain} onChange={() => setPlain(!isPlain)} />
          as one URI
        </label>
      </legend>
      {isPlain ? (
        <TextField
          form={form}
          at={at}
          label="Connection URI"
          placeholder="smtp://user:password@smtp.example.org:587/"
          hint="Percent-encode special characters of user and password: @ as %40, / as %2F. ******** keeps what is stored."
          isWide
        />
      ) : (
        <SplitFields form={form} at={at} />
      )}
    </fieldset>
  )
}

function SplitFields({ form, at }: Omit<MailServerProps, 'title'>) {
  const { parts, stored, change } = useParts(form, at)
  const problems = textsAt(form.problems, at)
  if (parts === undefined)
    return <p class="hint wide">The stored URI has parts that no field shows. Edit it as one URI.</p>
  const isOfSecret = (text: string): boolean => text.includes('secret')
  const text = (key: 'host' | 'port' | 'user' | 'serverName', extra: Readonly<Record<string, string>> = {}) => ({
    ...extra,
    value: parts[key],
    readOnly: form.isReadOnly,
    autocomplete: 'off',
    spellcheck: false,
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) =>
      change({ ...parts, [key]: currentTarget.value }),
  })
  return (
    <>
      <Field id={at} label="Host" problems={problems.filter((each) => !isOfSecret(each))}>
        {(control) => <input {...control} {...text('host', { placeholder: 'smtp.example.org' })} />}
      </Field>
      <Field id={`${at}-port`} label="Port">
        {(control) => <input {...control} {...text('port', { inputMode: 'numeric', placeholder: '587' })} />}
      </Field>
      <Field id={`${at}-user`} label="User">
        {(control) => <input {...control} {...text('user')} />}
      </Field>
      <SecretControl
        id={`${at}-password`}
        label="Password"
        hint={parts.password !== '' ? 'Another host, port or scheme asks for it anew.' : undefined}
        value={parts.password}
        stored={stored.password}
        problems={problems.filter(isOfSecret)}
        isReadOnly={form.isReadOnly}
        onInput={(password) => change({ ...parts, password })}
      />
      <SecurityField id={`${at}-security`} parts={parts} isReadOnly={form.isReadOnly} onChange={change} />
      {parts.security === 'tls_named' && (
        <Field id={`${at}-name`} label="Name in the certificate" hint="server_name">
          {(control) => <input {...control} {...text('serverName', { placeholder: 'mail.example.org' })} />}
        </Field>
      )}
    </>
  )
}

/** What is typed stays as it is typed; a URI that came from elsewhere is read anew. */
function useParts(form: Form, at: string) {
  const uri = textAt(form.document, at)
  const [typed, setTyped] = useState<MailParts>()
  const isMine = typed !== undefined && printMailUri(typed) === uri
  const change = (next: MailParts): void => {
    setTyped(next)
    form.set(at, printMailUri(next) || undefined)
  }
  return {
    parts: isMine ? typed : parseMailUri(uri),
    stored: parseMailUri(textAt(form.base, at)) ?? NO_PARTS,
    change,
  }
}

interface SecurityProps {
  readonly id: string
  readonly parts: MailParts
  readonly isReadOnly: boolean
  readonly onChange: (parts: MailParts) => void
}

const WARNINGS: Partial<Record<Security, string>> = {
  starttls_unverified: 'Accepts any server that pretends to be yours.',
  tls_unverified: 'Accepts any server that pretends to be yours.',
  cleartext: 'Credentials and codes travel in clear. For development.',
}

function SecurityField({ id, parts, isReadOnly, onChange }: SecurityProps) {
  return (
    <Field id={id} label="Security" hint={WARNINGS[parts.security]} isWide>
      {(control) => (
        <select
          {...control}
          value={parts.security}
          disabled={isReadOnly}
          onChange={({ currentTarget }) => onChange(withSecurity(parts, currentTarget.value as Security))}
        >
          {Object.entries(SECURITY).map(([value, { label }]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
