/** The one identity schema, in the form that Ory's are in. */
export const SCHEMA_ID = 'default'

const provenBy = (via: 'email' | 'sms') => ({
  credentials: { code: { identifier: true, via } },
  verification: { via },
  recovery: { via },
})

export const DEFAULT_SCHEMA = {
  $id: 'https://postrider.dev/schemas/identity.default.json',
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Person',
  type: 'object',
  properties: {
    traits: {
      type: 'object',
      additionalProperties: false,
      anyOf: [{ required: ['email'] }, { required: ['phone'] }],
      properties: {
        email: { type: 'string', format: 'email', title: 'E-mail', 'ory.sh/kratos': provenBy('email') },
        phone: {
          type: 'string',
          format: 'tel',
          pattern: '^\\+[1-9][0-9]{5,14}$',
          title: 'Phone',
          'ory.sh/kratos': provenBy('sms'),
        },
        name: { type: 'string', title: 'Name', minLength: 1, maxLength: 200 },
      },
    },
  },
}
