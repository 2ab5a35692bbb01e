/**
 * The thirteen template types: where their files are, and the model of each channel. Go templates name a field by `go`,
 * Jsonnet and the API by `json`. Validation, the built-ins, sample data and the reference all read this one table.
 */
import { CodedError } from '#libs/errors'
import { type ChannelId, TEMPLATE_TYPES, type TemplateType } from '#libs/messages'

/** `time` is RFC 3339 as a text; `map` is a JSON object of any content. */
export type FieldShape = 'text' | 'integer' | 'time' | 'map'

export interface TemplateField {
  readonly go: string
  readonly json: string
  readonly shape: FieldShape
  readonly required: boolean
  /** Grants access on its own or may quote what does: a code, a link, a ready-made text. */
  readonly sensitive: boolean
  /** Another key under which the value may come; `json` wins. */
  readonly also?: string
}

export interface TemplateKind {
  /** Below `builtin/`, and below a project's own template folder. undefined: the fields themselves are the message. */
  readonly folder?: string
  /** What the message carries, whose lifespan is then the message's. */
  readonly lifespan: 'code' | 'link' | 'none'
  /** The model of each channel that the type has. */
  readonly fields: { readonly email: readonly TemplateField[]; readonly sms?: readonly TemplateField[] }
}

/** Minutes that a code or link is said to live where the data do not say: the default lifespan of both. */
export const DEFAULT_EXPIRES_IN_MINUTES = 60

const TO = optional('To', 'to', 'text')
const IDENTITY = optional('Identity', 'identity', 'map')
const REQUEST_URL = optional('RequestURL', 'request_url', 'text')
const REQUEST_URL_DOMAIN = optional('RequestURLDomain', 'request_url_domain', 'text')
const TRANSIENT_PAYLOAD = optional('TransientPayload', 'transient_payload', 'map')
const EXPIRES_IN_MINUTES = optional('ExpiresInMinutes', 'expires_in_minutes', 'integer')
const OAUTH2_LOGIN_REQUEST = optional('OAuth2LoginRequest', 'oauth2_login_request', 'map')
const CHANGED_AT: TemplateField = { ...optional('ChangedAt', 'changed_at', 'time'), required: true }
const ADDED_AT: TemplateField = { ...optional('AddedAt', 'added_at', 'time'), required: true }
const REQUEST = [TO, REQUEST_URL, TRANSIENT_PAYLOAD]
const EXPIRING = [...REQUEST, EXPIRES_IN_MINUTES]
const EXPIRING_SMS = [TO, REQUEST_URL, REQUEST_URL_DOMAIN, TRANSIENT_PAYLOAD, EXPIRES_IN_MINUTES]

const RECOVERY_CODE = secret('RecoveryCode', 'recovery_code')
const VERIFICATION_CODE = secret('VerificationCode', 'verification_code')
const VERIFICATION_URL = secret('VerificationURL', 'verification_url')
const LOGIN_CODE = secret('LoginCode', 'login_code')
const REGISTRATION_CODE = secret('RegistrationCode', 'registration_code')

export const TEMPLATE_KINDS: Readonly<Record<TemplateType, TemplateKind>> = {
  recovery_invalid: { folder: 'recovery/invalid', lifespan: 'none', fields: { email: REQUEST } },
  recovery_valid: {
    folder: 'recovery/valid',
    lifespan: 'link',
    fields: { email: [secret('RecoveryURL', 'recovery_url'), IDENTITY, ...EXPIRING] },
  },
  recovery_code_invalid: { folder: 'recovery_code/invalid', lifespan: 'none', fields: { email: REQUEST } },
  recovery_code_valid: {
    folder: 'recovery_code/valid',
    lifespan: 'code',
    fields: {
      email: [{ ...RECOVERY_CODE, also: 'verification_code' }, IDENTITY, ...EXPIRING],
      // Ory's SMS model really has the recovery code under this key.
      sms: [{ ...RECOVERY_CODE, json: 'verification_code', also: 'recovery_code' }, IDENTITY, ...EXPIRING_SMS],
    },
  },
  verification_invalid: { folder: 'verification/invalid', lifespan: 'none', fields: { email: REQUEST } },
  verification_valid: {
    folder: 'verification/valid',
    lifespan: 'link',
    fields: { email: [VERIFICATION_URL, IDENTITY, ...EXPIRING, OAUTH2_LOGIN_REQUEST] },
  },
  verification_code_invalid: { folder: 'verification_code/invalid', lifespan: 'none', fields: { email: REQUEST } },
  verification_code_valid: {
    folder: 'verification_code/valid',
    lifespan: 'code',
    fields: {
      // The code suffices to verify, so the link beside it may be missing.
      email: [VERIFICATION_CODE, { ...VERIFICATION_URL, required: false }, IDENTITY, ...EXPIRING, OAUTH2_LOGIN_REQUEST],
      sms: [VERIFICATION_CODE, IDENTITY, ...EXPIRING_SMS, OAUTH2_LOGIN_REQUEST],
    },
  },
  login_code_valid: {
    folder: 'login_code/valid',
    lifespan: 'code',
    fields: {
      email: [LOGIN_CODE, IDENTITY, ...EXPIRING, OAUTH2_LOGIN_REQUEST],
      sms: [LOGIN_CODE, IDENTITY, ...EXPIRING_SMS, OAUTH2_LOGIN_REQUEST],
    },
  },
  registration_code_valid: {
    folder: 'registration_code/valid',
    lifespan: 'code',
    fields: {
      email: [REGISTRATION_CODE, optional('Traits', 'traits', 'map'), ...EXPIRING, OAUTH2_LOGIN_REQUEST],
      // Nobody is registered yet: Ory's SMS model calls the traits the identity.
      sms: [REGISTRATION_CODE, { ...IDENTITY, also: 'traits' }, ...EXPIRING_SMS, OAUTH2_LOGIN_REQUEST],
    },
  },
  verifiable_address_changed: notice('verifiable_address_changed', CHANGED_AT),
  authenticator_key_added: notice('authenticator_key_added', ADDED_AT),
  stub: {
    lifespan: 'none',
    fields: {
      email: [
        TO,
        secret('Subject', 'subject'),
        secret('Body', 'body'),
        { ...secret('HTMLBody', 'html_body'), required: false },
      ],
      sms: [TO, secret('Body', 'body'), IDENTITY],
    },
  },
}

/** @throws TEMPLATE_UNKNOWN */
export function templateKind(templateType: string): TemplateKind {
  if (!Object.hasOwn(TEMPLATE_KINDS, templateType)) {
    throw new CodedError('TEMPLATE_UNKNOWN', `template type: expected one of ${TEMPLATE_TYPES.join(', ')}`)
  }
  return TEMPLATE_KINDS[templateType as TemplateType]
}

/** @throws TEMPLATE_UNKNOWN, also where the type is known and has no template for `channel`. */
export function fieldsOf(templateType: string, channel: ChannelId): readonly TemplateField[] {
  const fields = templateKind(templateType).fields[channel]
  if (fields === undefined) {
    throw new CodedError('TEMPLATE_UNKNOWN', `template type: ${templateType} has no template for channel ${channel}`)
  }
  return fields
}

/** The value of a field in the data of a message; undefined where it is missing or null. */
export function fieldValue(field: TemplateField, data: Readonly<Record<string, unknown>>): unknown {
  return data[field.json] ?? (field.also === undefined ? undefined : data[field.also]) ?? undefined
}

function optional(go: string, json: string, shape: FieldShape): TemplateField {
  return { go, json, shape, required: false, sensitive: false }
}

function secret(go: string, json: string): TemplateField {
  return { go, json, shape: 'text', required: true, sensitive: true }
}

function notice(folder: string, at: TemplateField): TemplateKind {
  const fields = [TO, IDENTITY, at, TRANSIENT_PAYLOAD]
  return { folder, lifespan: 'none', fields: { email: fields, sms: fields } }
}
