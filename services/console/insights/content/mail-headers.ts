/** The headers that a mail has, as far as they are known before it is sent. Values that may be credentials are not shown. */
import { MASK } from '#libs/config'
import type { OwnTemplates } from '../own-templates.ts'
import { hasTarget } from '../project-settings.ts'

export type Header = readonly [name: string, value: string]

export interface HeaderParts {
  readonly id: string
  readonly recipient: string
  readonly subject: string
  readonly createdAt: Date
  readonly projectName: string
  readonly hasHtml: boolean
}

/** Beyond this a name is cut, as couriers cut it. */
const LONGEST_NAME = 100

export function mailHeaders(
  parts: HeaderParts,
  { settings, operator }: Pick<OwnTemplates, 'settings' | 'operator'>,
): Header[] {
  const isShared = settings !== operator && !hasTarget(settings)
  const { smtp } = isShared ? operator.courier : settings.courier
  const name = isShared ? `${parts.projectName.slice(0, LONGEST_NAME)} via Postrider` : smtp.from_name
  const domain = smtp.from_address.slice(smtp.from_address.lastIndexOf('@') + 1)
  const isNamed = (header: string) => Object.keys(smtp.headers).some((key) => key.toLowerCase() === header)
  return [
    ['Message-ID', `<${parts.id}@${domain}>`],
    ['Date', parts.createdAt.toUTCString().replace('GMT', '+0000')],
    ['From', name === undefined ? smtp.from_address : `${name} <${smtp.from_address}>`],
    ['To', parts.recipient],
    ['Subject', parts.subject],
    ['X-Postrider-Message-Id', parts.id],
    ...(isNamed('auto-submitted') ? [] : [['Auto-Submitted', 'auto-generated'] as const]),
    ...Object.keys(smtp.headers).map((key) => [key, MASK] as const),
    ['MIME-Version', '1.0'],
    ['Content-Type', parts.hasHtml ? 'multipart/alternative' : 'text/plain; charset=utf-8'],
  ]
}
