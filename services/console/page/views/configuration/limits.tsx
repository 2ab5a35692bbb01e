/** How much, how often and what then: limits of delivery, and the provider that takes over. */
import { words } from '../../format.ts'
import { TEMPLATE_TYPES } from '../templates/template.ts'
import { textAt } from './document.ts'
import type { Form } from './form.ts'
import { NumberField, TextField } from './form-fields.tsx'
import { MailServer } from './mail-server.tsx'
import { textsWithin } from './problems.ts'

const COURIER = 'postrider.courier'

export function Limits({ form }: { form: Form }) {
  return (
    <>
      <section class="card">
        <fieldset class="fields">
          <legend>Limits and retries</legend>
          <TextField
            form={form}
            at={`${COURIER}.rate`}
            label="Rate"
            placeholder="as fast as the server takes them"
            hint="Most mails to one server within a time, all couriers together: 100/1s, 6000/1m."
          />
          <NumberField
            form={form}
            at={`${COURIER}.concurrency`}
            label="Concurrency"
            hint="Connections to one server at once."
          />
          <NumberField
            form={form}
            at="courier.message_retries"
            label="Retries"
            hint="After the first try; 0 for a single try."
          />
          <TextField
            form={form}
            at={`${COURIER}.retry_schedule`}
            label="Retry schedule"
            hint="Delays before the second try, the third and so on; the last one repeats."
          />
        </fieldset>
        <Unknown form={form} />
      </section>
      <section class="card">
        <MailServer form={form} at={`${COURIER}.fallback.smtp.connection_uri`} title="Fallback provider" />
        <p class="hint">
          Takes urgent mail whose first try failed, and all mail while the first provider stands still.
        </p>
      </section>
    </>
  )
}

function Unknown({ form }: { form: Form }) {
  const at = `${COURIER}.on_unknown`
  const problems = textsWithin(form.problems, at)
  return (
    <details id={at} tabIndex={-1} open={problems.length > 0}>
      <summary>When it is unknown whether a mail was taken</summary>
      <p class="hint">
        A connection that ends after the mail was handed over leaves the outcome open. By template type: send it once
        more, or hold it for an operator.
      </p>
      {problems.length > 0 && <p class="field-problem">{problems.join(' ')}</p>}
      <div class="fields">
        {TEMPLATE_TYPES.map((type) => (
          <label key={type}>
            {words(type)}
            <select
              value={textAt(form.document, `${at}.${type}`) === 'hold' ? 'hold' : ''}
              disabled={form.isReadOnly}
              onChange={({ currentTarget: { value } }) => form.set(`${at}.${type}`, value || undefined)}
            >
              <option value="">send once more</option>
              <option value="hold">hold</option>
            </select>
          </label>
        ))}
      </div>
    </details>
  )
}
