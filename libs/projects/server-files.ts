import type { Config } from '#libs/config'

const FILE = /^file:\/\//i

/**
 * The keys by which a configuration reads files of the server that it runs on, in the order of the configuration. Only the project
 * `default`, which is the operator's, may have any: whoever configures another project has no business on that disk.
 */
export function serverFiles({ courier }: Pick<Config, 'courier'>): string[] {
  const { template_override_path: folder, smtp, http, channels, templates } = courier
  const isFile = (value: unknown): boolean => typeof value === 'string' && FILE.test(value)
  return [
    ...(folder ? ['courier.template_override_path'] : []),
    ...(['client_cert_path', 'client_key_path'] as const)
      .filter((key) => smtp[key] !== '')
      .map((key) => `courier.smtp.${key}`),
    ...(isFile(http.request_config?.body) ? ['courier.http.request_config.body'] : []),
    ...channels.flatMap(({ request_config: { body } }, index) =>
      isFile(body) ? [`courier.channels[${index}].request_config.body`] : [],
    ),
    ...leaves(templates, 'courier.templates')
      .filter(([, value]) => isFile(value))
      .map(([key]) => key),
  ]
}

function leaves(value: unknown, key: string): [key: string, value: unknown][] {
  if (typeof value !== 'object' || value === null) return [[key, value]]
  return Object.entries(value).flatMap(([name, child]) => leaves(child, `${key}.${name}`))
}
