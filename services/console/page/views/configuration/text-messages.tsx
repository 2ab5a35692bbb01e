import { isObject, valueAt } from './document.ts'
import type { Form } from './form.ts'
import { RequestFields } from './request-fields.tsx'

const CHANNELS = 'courier.channels'

/** The channel `sms`: text messages go to an HTTP provider of their own, or nowhere. */
export function TextMessages({ form }: { form: Form }) {
  const found = channelsOf(form.document)
  const index = found.findIndex(isSms)
  const toggle = (): void => {
    const others = found.filter((channel) => !isSms(channel))
    const stored = channelsOf(form.base).find(isSms)
    const fresh = { id: 'sms', type: 'http', request_config: { url: 'https://', method: 'POST' } }
    form.set(CHANNELS, index >= 0 ? others : [...others, stored ?? fresh])
  }
  return (
    <section class="card" id={CHANNELS} tabIndex={-1}>
      <label class="check">
        <input type="checkbox" checked={index >= 0} disabled={form.isReadOnly} onChange={toggle} />
        Send text messages through an HTTP server
      </label>
      {index >= 0 && (
        <RequestFields form={form} at={`${CHANNELS}.${index}.request_config`} title="SMS server" isAdvanced />
      )}
    </section>
  )
}

function channelsOf(document: unknown): readonly unknown[] {
  const channels = valueAt(document, CHANNELS)
  return Array.isArray(channels) ? channels : []
}

function isSms(channel: unknown): boolean {
  return isObject(channel) && channel.id === 'sms'
}
