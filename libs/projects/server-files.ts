import type { Config } from '#libs/config'

const FILE = /^file:\/\//i

/**
 * The keys by which a configuration reads files of the server that it runs on, in the order of the configuration. Only the project
 * `default`, which is the operator's, may have any: whoever configures another project has no business on that disk.
 */
export function serverFiles(settings: Pick<Config, 'courier'>): string[] {
  return namedFiles(settings).map(([key]) => key)
}

/** The same with what stands there. */
export function namedFiles({ courier }: Pick<Config, 'courier'>): (readonly [key: string, file: unknown])[] {
  const { template_override_path: folder, smtp, http, channels, templates } = courier
  const isFile = (value: unknown): boolean => typeof value === 'string' && FILE.test(value)
  return [
    ...(folder ? [['courier.template_override_path', folder] as const] : []),
    ...(['client_cert_path', 'client_key_path'] as const)
      .filter((key) => smtp[key] !== '')
      .map((key) => [`courier.smtp.${key}`, smtp[key]] as const),
    ...[
      ['courier.http.request_config.body', http.request_config?.body] as const,
      ...channels.map(
        ({ request_config: { body } }, index) => [`courier.channels[${index}].request_config.body`, body] as const,
      ),
      ...leaves(templates, 'courier.templates'),
    ].filter(([, value]) => isFile(value)),
  ]
}

function leaves(value: unknown, key: string): [key: string, value: unknown][] {
  if (typeof value !== 'object' || value === null) return [[key, value]]
  return Object.entries(value).flatMap(([name, child]) => leaves(child, `${key}.${name}`))
}
