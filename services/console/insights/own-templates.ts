/** The templates of a project as its couriers have them. Opened anew for each request: what they load is kept. */
import type { Config } from '#libs/config'
import type { Engine } from '#libs/engine'
import { CodedError } from '#libs/errors'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { openGuard, openResources, type Resources } from '#libs/resources'
import { openTemplates, type TemplateProblem, type Templates } from '#libs/templates'
import { operatorSettings, ownSettings, type SettingsPorts } from './project-settings.ts'

export interface OwnTemplates {
  /** Of the project, or of the operator where it has none. */
  readonly settings: Config
  readonly operator: Config
  readonly templates: Templates
  /** That were met while rendering; without a value of a message. */
  readonly problems: readonly TemplateProblem[]
}

export type OpenOwnTemplates = (projectId: string) => Promise<OwnTemplates>

export function openOwnTemplates(engine: Pick<Engine, 'renderTemplate'>, ports: SettingsPorts): OpenOwnTemplates {
  let kept: { readonly key: string; readonly resources: Resources } | undefined

  /** Under the guard of the operator, whoever configured the template. */
  function resourcesUnder({ clients: { http } }: Config): Resources {
    const key = JSON.stringify(http)
    if (kept?.key !== key) {
      const { disallow_private_ip_ranges: disallowPrivate, private_ip_exception_urls: exceptionUrls } = http
      kept = {
        key,
        resources: openResources({ guard: openGuard({ disallowPrivate, exceptionUrls }), timeoutMs: 5_000 }),
      }
    }
    return kept.resources
  }

  return async (projectId) => {
    const operator = await operatorSettings(ports)
    const own = projectId === DEFAULT_PROJECT_ID ? undefined : await ownSettings(projectId, ports)
    const settings = own ?? operator
    const resources = resourcesUnder(operator)
    const problems: TemplateProblem[] = []
    const templates = openTemplates({
      engine,
      resources: own === undefined ? resources : withoutFiles(resources),
      templates: settings.courier.templates,
      overridePath: own === undefined ? settings.courier.template_override_path : undefined,
      onProblem: (problem) => problems.push(problem),
    })
    return { settings, operator, templates, problems }
  }
}

/** Files of this server are none of a tenant's business. */
function withoutFiles(resources: Resources): Resources {
  return {
    load: async (uri) => {
      if (!/^file:/i.test(uri)) return resources.load(uri)
      throw new CodedError('CONFIG_INVALID', 'file:// reads a file of the server, which only the project default may')
    },
  }
}
