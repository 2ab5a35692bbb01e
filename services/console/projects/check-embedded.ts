/** Whether payloads and templates that stand in a configuration work: told to whoever writes them, not met by the first mail. */
import type { Config } from '#libs/config'
import type { Engine } from '#libs/engine'
import { CodedError, isCoded } from '#libs/errors'
import { decodeBase64, openGuard, openResources } from '#libs/resources'
import { openTemplates, toldProblem } from '#libs/templates'

/**
 * @returns warnings: a template that does not work gives way to the built-in one
 * @throws REQUEST_INVALID for payloads that cannot be parsed, which would end every mail
 */
export type CheckEmbedded = (config: Config) => Promise<string[]>

const EMBEDDED = 'base64://'
const PLACE = /:\(?(\d+):(\d+)/

/** Looks at `base64://` only; what stands elsewhere may change by itself. */
export function openCheckEmbedded(engine: Pick<Engine, 'format' | 'renderTemplate'>): CheckEmbedded {
  const resources = openResources({ guard: openGuard({ disallowPrivate: true, exceptionUrls: [] }) })
  return async (config) => {
    const problems: string[] = []
    for (const [key, body] of bodiesOf(config)) {
      const problem = body?.startsWith(EMBEDDED) ? await problemOf(body, engine) : undefined
      if (problem !== undefined) problems.push(`${key}.body: ${problem}`)
    }
    if (problems.length > 0) {
      const message = `The identity config is not valid, nothing was stored: ${problems.join('\n')}`
      throw new CodedError('REQUEST_INVALID', message, { details: { problems } })
    }
    const templates = embedded(config.courier.templates) as Config['courier']['templates']
    const broken = await openTemplates({ engine, resources, templates, overridePath: undefined }).validate()
    return broken.map((problem) => `${toldProblem(problem)}; the built-in part is sent until it is mended`)
  }
}

/** Without the URIs that lead elsewhere. */
function embedded(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(EMBEDDED) ? value : undefined
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, child]) => [key, embedded(child)] as const)
  return Object.fromEntries(entries.filter(([, child]) => child !== undefined))
}

function bodiesOf({ courier }: Config): (readonly [key: string, body: string | undefined])[] {
  const channels = courier.channels.map(
    ({ request_config }, index) => [`courier.channels[${index}].request_config`, request_config.body] as const,
  )
  return [['courier.http.request_config', courier.http.request_config?.body], ...channels]
}

async function problemOf(uri: string, engine: Pick<Engine, 'format'>): Promise<string | undefined> {
  try {
    const answer = await engine.format(decodeBase64(uri).toString())
    if (answer.ok || answer.kind !== 'parse') return undefined
    const [, line, column] = PLACE.exec(answer.message) ?? []
    const place = line === undefined ? '' : ` at line ${line}, column ${column}`
    return `Jsonnet that cannot be parsed${place}; postrider jsonnet lint says more`
  } catch (error) {
    if (isCoded(error, 'CONFIG_INVALID')) return error.message
    throw error
  }
}
