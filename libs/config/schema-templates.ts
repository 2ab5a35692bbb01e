/** Where the texts of a mail come from, where not from the built-in ones. */
import { Type } from 'typebox'
import { closed, resource } from './schema-parts.ts'

const email = closed('Templates of the mail.', {
  subject: Type.Optional(resource('Template of the subject.')),
  body: Type.Optional(
    closed('Templates of the text.', {
      plaintext: Type.Optional(resource('Template of the plain text.')),
      html: Type.Optional(resource('Template of the HTML.')),
    }),
  ),
})

const sms = closed('Templates of the text message.', {
  body: Type.Optional(
    closed('Templates of the text.', { plaintext: Type.Optional(resource('Template of the plain text.')) }),
  ),
})

const both = { email, sms: Type.Optional(sms) }

function validOnly(what: string) {
  return closed(`Templates of ${what}.`, { valid: Type.Optional(closed('For a known address.', both)) })
}

function validAndInvalid(what: string) {
  return closed(`Templates of ${what}.`, {
    valid: Type.Optional(closed('For a known address.', both)),
    invalid: Type.Optional(closed('For an unknown address.', { email })),
  })
}

export const templates = closed('Templates fetched instead of the built-in ones.', {
  recovery: Type.Optional(validAndInvalid('recovery by link')),
  recovery_code: Type.Optional(validAndInvalid('recovery by code')),
  verification: Type.Optional(validAndInvalid('verification by link')),
  verification_code: Type.Optional(validAndInvalid('verification by code')),
  registration_code: Type.Optional(validOnly('registration by code')),
  login_code: Type.Optional(validOnly('login by code')),
  verifiable_address_changed: Type.Optional(closed('Templates of the notice that an address changed.', both)),
  authenticator_key_added: Type.Optional(closed('Templates of the notice that a sign-in method was added.', both)),
})
