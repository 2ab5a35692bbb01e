/** The one identity schema, in the form that Ory's are in. */
export const SCHEMA_ID = 'default'

export const DEFAULT_SCHEMA = {
  $id: 'https://postrider.dev/schemas/identity.default.json',
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Person',
  type: 'object',
  properties: {
    traits: {
      type: 'object',
      additionalProperties: false,
      required: ['email'],
      properties: {
        email: {
          type: 'string',
          format: 'email',
          title: 'E-mail',
          'ory.sh/kratos': {
            credentials: { code: { identifier: true, via: 'email' } },
            verification: { via: 'email' },
            recovery: { via: 'email' },
          },
        },
        name: { type: 'string', title: 'Name', minLength: 1, maxLength: 200 },
      },
    },
  },
}
