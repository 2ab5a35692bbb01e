/** One complete example of every model: for previews, and to try users' templates on before they are needed. */
import { type ChannelId, TEMPLATE_TYPES, type TemplateType } from '#libs/messages'
import { fieldsOf, templateKind } from './template-types.ts'

const ADDRESS = 'ada@example.org'
const PHONE = '+4930901820'

const TRAITS = { email: ADDRESS, phone: PHONE, name: { first: 'Ada', last: 'Lovelace' } }

const IDENTITY = {
  id: '0198f6c2-4e1b-7d3a-9c5e-2f7a1b8d6e40',
  schema_id: 'default',
  schema_url: 'https://auth.example.org/schemas/ZGVmYXVsdA',
  state: 'active',
  traits: TRAITS,
  metadata_public: { plan: 'free' },
  created_at: '2030-01-31T11:00:00Z',
  updated_at: '2030-01-31T11:00:00Z',
  organization_id: null,
}

/** By JSON key; the union of all models. */
const VALUES: Readonly<Record<string, unknown>> = {
  to: ADDRESS,
  identity: IDENTITY,
  traits: TRAITS,
  request_url: 'https://auth.example.org/self-service/browser?return_to=https%3A%2F%2Fapp.example.org%2F',
  request_url_domain: 'example.org',
  transient_payload: {},
  expires_in_minutes: 60,
  oauth2_login_request: {
    challenge: 'b4f1c9',
    client: { client_id: 'a7d2f0', client_name: 'Example App', client_uri: 'https://app.example.org' },
  },
  recovery_code: '417203',
  recovery_url: 'https://auth.example.org/self-service/recovery?flow=6f1c&token=Yx3Lk9',
  verification_code: '528314',
  verification_url: 'https://auth.example.org/self-service/verification?flow=7a2d&code=528314',
  login_code: '639425',
  registration_code: '740536',
  changed_at: '2030-01-31T12:00:00Z',
  added_at: '2030-01-31T12:00:00Z',
  subject: 'A subject of your own',
  body: 'A text of your own.\n',
  html_body: '<p>A text of your own.</p>\n',
}

/** Complete data of a type's model on a channel, a new object each time. @throws TEMPLATE_UNKNOWN */
export function sampleData(templateType: string, channel: ChannelId = 'email'): Record<string, unknown> {
  const entries = fieldsOf(templateType, channel).map(({ json }) => [json, VALUES[json]])
  const sample = structuredClone(Object.fromEntries(entries))
  return channel === 'sms' ? { ...sample, to: PHONE } : sample
}

/** What `sampleData` gives, for every type and channel that there is. */
export const SAMPLE_DATA: readonly {
  readonly templateType: TemplateType
  readonly channel: ChannelId
  readonly data: Readonly<Record<string, unknown>>
}[] = TEMPLATE_TYPES.flatMap((templateType) =>
  (['email', 'sms'] as const)
    .filter((channel) => templateKind(templateType).fields[channel] !== undefined)
    .map((channel) => ({ templateType, channel, data: sampleData(templateType, channel) })),
)
