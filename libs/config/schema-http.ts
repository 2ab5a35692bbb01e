/** How a request to an HTTP provider looks. */
import { Type } from 'typebox'
import { closed, headers, resource, text, webUrl } from './schema-parts.ts'

type Auth =
  | { type: 'api_key'; config: { name: string; value: string; in: 'header' | 'cookie' } }
  | { type: 'basic_auth'; config: { user: string; password: string } }

const auth = Type.Unsafe<Auth>({
  description: 'How the request identifies itself.',
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    closed('A key in a header or cookie.', {
      type: Type.Literal('api_key', { description: 'The kind of authentication: api_key or basic_auth.' }),
      config: closed(
        'The key.',
        {
          name: text('Name of the header or cookie.'),
          value: text('The key itself.', { secret: true }),
          in: Type.Unsafe<'header' | 'cookie'>({
            type: 'string',
            enum: ['header', 'cookie'],
            default: 'header',
            description: 'Where the key goes.',
          }),
        },
        { hidesKeys: true },
      ),
    }),
    closed('User and password.', {
      type: Type.Literal('basic_auth', { description: 'The kind of authentication: api_key or basic_auth.' }),
      config: closed(
        'The credentials.',
        {
          user: text('User name.', { secret: true }),
          password: text('Password.', { secret: true }),
        },
        { hidesKeys: true },
      ),
    }),
  ],
})

export const requestConfig = closed('The request that hands a message to an HTTP provider.', {
  url: Type.Optional(webUrl('Where the request goes.', 'target')),
  method: text('HTTP method.', { default: 'POST' }),
  headers: headers('Headers of the request; Content-Type is application/json unless said otherwise.', {}),
  body: Type.Optional(
    resource('Jsonnet that makes the body from ctx. Absent: recipient, type, subject, body and codes.'),
  ),
  auth: Type.Optional(auth),
})
