/** Mail servers of well-known providers. */
import { type MailParts, NO_PARTS } from './mail-uri.ts'

export interface Preset {
  readonly name: string
  readonly host: string
  /** What its user and password are. */
  readonly hint: string
}

export const PRESETS: readonly Preset[] = [
  {
    name: 'Mailgun',
    host: 'smtp.mailgun.org',
    hint: 'User is the SMTP login of your domain, such as postmaster@mg.example.org. Domains in the EU: smtp.eu.mailgun.org.',
  },
  {
    name: 'AWS SES',
    host: 'email-smtp.us-east-1.amazonaws.com',
    hint: 'Put your region into the host. User and password are SMTP credentials of SES, not an access key of AWS.',
  },
  {
    name: 'Postmark',
    host: 'smtp.postmarkapp.com',
    hint: 'User and password are both the server API token.',
  },
]

export function partsOf({ host }: Preset): MailParts {
  return { ...NO_PARTS, host, port: '587' }
}
