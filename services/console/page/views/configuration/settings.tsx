/** The form: what most need at first sight, the rest behind the switch. */
import { query, setQuery } from '../../location.ts'
import { textAt, valueAt } from './document.ts'
import type { Form } from './form.ts'
import { TextField } from './form-fields.tsx'
import { HeaderFields } from './header-fields.tsx'
import { Limits } from './limits.tsx'
import { MailServer } from './mail-server.tsx'
import { Presets } from './preset-chips.tsx'
import { RawDocument } from './raw-document.tsx'
import { RequestFields } from './request-fields.tsx'
import { TextMessages } from './text-messages.tsx'

interface SettingsProps {
  readonly form: Form
  readonly isDefault: boolean
  readonly onReplace: (document: Form['document']) => void
}

export function isAdvanced(): boolean {
  return query.value.get('advanced') === '1'
}

export function showAdvanced(isShown: boolean): void {
  setQuery({ advanced: isShown ? '1' : '' }, { replace: true })
}

export function Settings({ form, isDefault, onReplace }: SettingsProps) {
  const isHttp = textAt(form.document, 'courier.delivery_strategy') === 'http'
  return (
    <>
      <Strategy form={form} />
      {isHttp ? <HttpCard form={form} /> : <MailCard form={form} isDefault={isDefault} />}
      <label class="check switch">
        <input
          type="checkbox"
          role="switch"
          checked={isAdvanced()}
          aria-checked={isAdvanced()}
          onChange={({ currentTarget }) => showAdvanced(currentTarget.checked)}
        />
        Advanced Settings
      </label>
      {isAdvanced() && (
        <>
          {!isHttp && <MailDetails form={form} isDefault={isDefault} />}
          <TextMessages form={form} />
          <Limits form={form} />
          <RawDocument form={form} onReplace={onReplace} />
        </>
      )}
    </>
  )
}

const STRATEGIES = { smtp: 'SMTP server', http: 'HTTP server' } as const

function Strategy({ form }: { form: Form }) {
  const at = 'courier.delivery_strategy'
  return (
    <fieldset class="segments" id={at} tabIndex={-1}>
      <legend>Mail goes out through</legend>
      {Object.entries(STRATEGIES).map(([value, label]) => (
        <label key={value}>
          <input
            type="radio"
            name="strategy"
            checked={textAt(form.document, at) === value}
            disabled={form.isReadOnly}
            onChange={() => form.set(at, value)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  )
}

function MailCard({ form, isDefault }: Pick<SettingsProps, 'form' | 'isDefault'>) {
  const at = 'courier.smtp.connection_uri'
  const isUnset = valueAt(form.document, at) === undefined
  return (
    <section class="card">
      {!form.isReadOnly && <Presets form={form} at={at} />}
      <MailServer form={form} at={at} title="SMTP server" />
      {isUnset && (
        <p class="hint">
          {isDefault
            ? 'Without a server, mail goes to the mailbox of this machine, where there is one.'
            : "Without a server, mail goes out through the operator's provider, and the sender below is ignored."}
        </p>
      )}
      <fieldset class="fields">
        <legend>Sender</legend>
        <TextField form={form} at="courier.smtp.from_address" label="Address" placeholder="no-reply@example.org" />
        <TextField form={form} at="courier.smtp.from_name" label="Name" placeholder="Example" />
      </fieldset>
    </section>
  )
}

function MailDetails({ form, isDefault }: Pick<SettingsProps, 'form' | 'isDefault'>) {
  return (
    <section class="card">
      <fieldset class="fields">
        <legend>SMTP details</legend>
        <TextField form={form} at="courier.smtp.local_name" label="EHLO name" placeholder="localhost" />
        {isDefault && (
          <>
            <TextField form={form} at="courier.smtp.client_cert_path" label="Client certificate" hint="A PEM file." />
            <TextField form={form} at="courier.smtp.client_key_path" label="Its key" hint="A PEM file." />
          </>
        )}
      </fieldset>
      <HeaderFields form={form} at="courier.smtp.headers" label="Headers added to every mail" />
    </section>
  )
}

function HttpCard({ form }: { form: Form }) {
  return (
    <section class="card">
      <RequestFields form={form} at="courier.http.request_config" title="HTTP server" isAdvanced={isAdvanced()} />
    </section>
  )
}
