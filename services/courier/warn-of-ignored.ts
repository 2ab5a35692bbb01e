import { parseConfig } from '#libs/config'
import { serverFiles } from '#libs/projects'
import type { Logger } from '#libs/telemetry'
import { type DeliverySettings, hasTarget } from './open-channels.ts'

const { from_address: USUAL_ADDRESS } = parseConfig({}).courier.smtp

/** Says what of a tenant's configuration has no effect. */
export function warnOfIgnored(settings: DeliverySettings, log: Pick<Logger, 'warn'>): void {
  const { from_address: address, from_name: name } = settings.courier.smtp
  if (!hasTarget(settings) && (name !== undefined || address !== USUAL_ADDRESS))
    log.warn(
      "courier.smtp.from_address and from_name are ignored: without a target of its own the project's mail comes from the operator's address; set courier.smtp.connection_uri or courier.http",
    )
  const keys = serverFiles(settings)
  if (keys.length > 0)
    log.warn(
      { keys },
      'files of the server are read for the project default only: use base64://, https:// or http:// in these places',
    )
}
