/** What channels and templates are opened with, under the root configuration of the operator. */
import type { Config } from '#libs/config'
import { CodedError } from '#libs/errors'
import { openResources, type Resources } from '#libs/resources'
import { type ChannelTools, httpGuard } from './open-channels.ts'

export interface ProjectTools {
  readonly operator: ChannelTools
  /** Without the files of this server: they are none of a tenant's business. */
  readonly tenant: ChannelTools
}

/** @param clients of the operator: where connections may go holds for every project */
export function openProjectTools(
  ports: Pick<ChannelTools, 'engine' | 'rateOf'>,
  clients: Config['clients'],
): ProjectTools {
  const resources = openResources({ guard: httpGuard(clients) })
  return {
    operator: { ...ports, clients, resources, readsFiles: true },
    tenant: { ...ports, clients, resources: withoutFiles(resources), readsFiles: false },
  }
}

function withoutFiles(resources: Resources): Resources {
  return {
    load: async (uri) => {
      if (!/^file:/i.test(uri)) return resources.load(uri)
      throw new CodedError(
        'CONFIG_INVALID',
        'file:// reads a file of the server, which only the project default may: use base64://, https:// or http://',
      )
    },
  }
}
