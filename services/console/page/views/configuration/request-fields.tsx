/** A request to an HTTP provider: address and credentials at first sight, the rest with the advanced settings. */
import { Field } from '../../parts/field.tsx'
import { BodyField } from './body-field.tsx'
import { isObject, textAt, valueAt } from './document.ts'
import type { Form } from './form.ts'
import { ChoiceField, SecretField, TextField } from './form-fields.tsx'
import { HeaderFields } from './header-fields.tsx'
import { textsAt } from './problems.ts'

interface RequestFieldsProps {
  readonly form: Form
  /** Key of the request_config. */
  readonly at: string
  readonly title: string
  readonly isAdvanced: boolean
}

export function RequestFields({ form, at, title, isAdvanced }: RequestFieldsProps) {
  return (
    <>
      <fieldset class="fields">
        <legend>{title}</legend>
        <TextField
          form={form}
          at={`${at}.url`}
          label="URL"
          placeholder="https://mail-sender.example.org/send"
          hint={textAt(form.base, `${at}.url`).includes('********') ? '******** keeps what is stored.' : undefined}
          isWide
        />
        <Auth form={form} at={`${at}.auth`} />
        {isAdvanced && <TextField form={form} at={`${at}.method`} label="Method" placeholder="POST" />}
        {isAdvanced && <BodyField form={form} at={`${at}.body`} />}
      </fieldset>
      {isAdvanced && <HeaderFields form={form} at={`${at}.headers`} label="Headers of the request" />}
    </>
  )
}

const KINDS: Readonly<Record<string, string>> = { none: 'None', basic_auth: 'User and password', api_key: 'API key' }
const FRESH: Readonly<Record<string, object | undefined>> = {
  none: undefined,
  basic_auth: { type: 'basic_auth', config: { user: '', password: '' } },
  api_key: { type: 'api_key', config: { name: '', value: '', in: 'header' } },
}

function Auth({ form, at }: Pick<RequestFieldsProps, 'form' | 'at'>) {
  const kind = textAt(form.document, `${at}.type`) || 'none'
  const choose = (next: string): void => {
    const stored = valueAt(form.base, at)
    form.set(at, isObject(stored) && stored.type === next ? stored : FRESH[next])
  }
  return (
    <>
      <Field
        id={at}
        label="Authentication"
        problems={[...textsAt(form.problems, at), ...textsAt(form.problems, `${at}.type`)]}
        hint={kind === 'none' ? 'Whoever finds the URL can send in your name.' : undefined}
      >
        {(control) => (
          <select
            {...control}
            value={kind}
            disabled={form.isReadOnly}
            onChange={({ currentTarget }) => choose(currentTarget.value)}
          >
            {Object.entries(KINDS).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      {kind === 'basic_auth' && (
        <>
          <SecretField form={form} at={`${at}.config.user`} label="User" />
          <SecretField form={form} at={`${at}.config.password`} label="Password" />
        </>
      )}
      {kind === 'api_key' && (
        <>
          <TextField form={form} at={`${at}.config.name`} label="Name of the key" placeholder="X-Api-Key" />
          <SecretField form={form} at={`${at}.config.value`} label="Key" />
          <ChoiceField
            form={form}
            at={`${at}.config.in`}
            label="Sent as"
            options={{ header: 'Header', cookie: 'Cookie' }}
          />
        </>
      )}
    </>
  )
}
