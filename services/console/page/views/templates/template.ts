/** Template types as the API describes them. */
export const TEMPLATE_TYPES = [
  'login_code_valid',
  'registration_code_valid',
  'recovery_code_valid',
  'recovery_code_invalid',
  'recovery_valid',
  'recovery_invalid',
  'verification_code_valid',
  'verification_code_invalid',
  'verification_valid',
  'verification_invalid',
  'verifiable_address_changed',
  'authenticator_key_added',
  'stub',
] as const

export interface TemplateField {
  /** Key in `data`. */
  readonly name: string
  readonly type: string
  readonly required: boolean
}

export interface TemplateKind {
  readonly template_type: string
  /** Fields by channel; a channel that is missing has no such mail. */
  readonly channels: Readonly<Record<string, ChannelTemplate>>
}

export interface ChannelTemplate {
  readonly fields: readonly TemplateField[]
  readonly sample: object
  readonly source: keyof typeof SOURCES
}

/** Where the project has it from. */
export const SOURCES = { built_in: 'built-in', uri: 'own, by URI', folder: 'own, in a folder' } as const

export interface Rendered {
  readonly subject: string
  readonly text: string
  /** A document for a frame, under a policy of its own; null where there is no HTML. */
  readonly html_url: string | null
  /** What is wrong with templates of the project; the built-in part stands in their place. */
  readonly problems: readonly string[]
}

export const TEMPLATES = '/admin/courier/templates'

export const CHANNELS: Readonly<Record<string, string>> = { email: 'Mail', sms: 'Text message' }

/** When each is sent. */
export const MEANINGS: Readonly<Record<string, string>> = {
  login_code_valid: 'somebody signs in with a code',
  registration_code_valid: 'somebody registers with a code',
  recovery_code_valid: 'somebody recovers an account with a code',
  recovery_code_invalid: 'recovery by code is asked for an unknown address',
  recovery_valid: 'somebody recovers an account with a link',
  recovery_invalid: 'recovery by link is asked for an unknown address',
  verification_code_valid: 'an address is verified with a code',
  verification_code_invalid: 'verification by code is asked for an unknown address',
  verification_valid: 'an address is verified with a link',
  verification_invalid: 'verification by link is asked for an unknown address',
  verifiable_address_changed: 'an address was changed; told to the old one',
  authenticator_key_added: 'a way to sign in was added',
  stub: 'a test: the data are the mail',
}
