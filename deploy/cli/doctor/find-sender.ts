/** From which domain a project's mail comes. */
import { isCoded } from '#libs/errors'
import { parseSmtpUri } from '#libs/smtp'
import type { AdminClient } from '../admin-client.ts'

interface ShownConfig {
  readonly courier?: {
    readonly delivery_strategy?: string
    readonly smtp?: { readonly connection_uri?: string; readonly from_address?: string }
  }
}

const OPERATOR = 'projects/default'
const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/

/**
 * A project without a provider of its own sends as the operator does.
 * @param looksAtLocal also where mail goes to this machine, and nobody else sees it
 */
export async function findSender(
  client: AdminClient,
  path: string,
  looksAtLocal: boolean,
): Promise<{ readonly domain: string } | { readonly reason: string }> {
  const own = await courierOf(client, path)
  const courier = own.delivery_strategy === 'http' || own.smtp?.connection_uri ? own : await courierOf(client, OPERATOR)
  if (courier.delivery_strategy === 'http')
    return { reason: 'the HTTP provider chooses the sender: give the domain by --domain' }
  const host = hostOf(courier.smtp?.connection_uri)
  if (!looksAtLocal && (host === undefined || LOCAL.test(host)))
    return { reason: 'mail goes to a server of this machine: give a domain by --domain to look at one' }
  const domain = courier.smtp?.from_address?.split('@').at(-1)
  return domain === undefined ? { reason: 'courier.smtp.from_address is not set' } : { domain: domain.toLowerCase() }
}

async function courierOf(client: AdminClient, path: string): Promise<NonNullable<ShownConfig['courier']>> {
  return ((await client.get(`${path}/identity-config`)).body as ShownConfig).courier ?? {}
}

/** undefined for the dev mailbox. */
function hostOf(uri: string | undefined): string | undefined {
  try {
    return uri ? parseSmtpUri(uri).host : undefined
  } catch (error) {
    if (isCoded(error, 'SMTP_URI_INVALID')) return undefined
    throw error
  }
}
