import type { Environment } from './read-environment.ts'
import type { Config } from './schema.ts'

const LOCAL = 'http://127.0.0.1'

/** Fills the defaults that follow from other keys: the identity's public URL, the peers, and on one machine the dev mailbox. */
export function completeConfig(config: Config, { POSTRIDER_MAILBOX_SMTP_PORT: mailboxPort }: Environment): Config {
  const { courier, postrider } = config
  const { identity, console } = postrider
  const uri = courier.smtp.connection_uri ?? (mailboxPort ? mailboxUri(mailboxPort) : undefined)
  return {
    ...config,
    courier: { ...courier, smtp: { ...courier.smtp, ...(uri !== undefined && { connection_uri: uri }) } },
    postrider: {
      ...postrider,
      identity: { ...identity, public_url: identity.public_url || `${LOCAL}:${identity.port}` },
      console: { ...console, peers: { ...localPeers(postrider), ...console.peers } },
    },
  }
}

/** The mailbox speaks no TLS; it is on this machine. */
function mailboxUri(port: string): string {
  return `smtp://127.0.0.1:${port}/?disable_starttls=true`
}

function localPeers({ identity, relay, courier, projector }: Config['postrider']): Record<string, string> {
  const ports = Object.entries({ identity, relay, courier, projector })
  return Object.fromEntries(ports.map(([service, { metrics_port }]) => [service, `${LOCAL}:${metrics_port}`]))
}
