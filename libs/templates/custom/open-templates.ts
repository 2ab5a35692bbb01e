/**
 * Renders with templates of one's own where there are some, with the built-in ones where not, part by part. Whatever is wrong with a
 * template of one's own, the mail goes out: with the built-in part in its place.
 */
import type { Engine } from '#libs/engine'
import type { Resources } from '#libs/resources'
import { checkTemplateData, type MessageParts, type RenderRequest, renderBuiltin } from '../render-message.ts'
import { listSources, type OwnTemplatesConfig } from './list-sources.ts'
import { openRenderOwn } from './render-own.ts'
import { openReports } from './report-once.ts'
import type { TemplateProblem } from './template-problem.ts'
import { validateSources } from './validate-sources.ts'

export interface TemplatesOptions extends OwnTemplatesConfig {
  readonly engine: Pick<Engine, 'renderTemplate'>
  readonly resources: Resources
  /** How long a copy of a template is good. Default 60 s. */
  readonly ttlMs?: number
  /** Told once for each source and content of it. Holds no value of a message. */
  readonly onProblem?: (problem: TemplateProblem) => void
  /** Milliseconds on a clock of any origin. */
  readonly now?: () => number
}

/** The templates of one revision of one project; nothing in it is shared with another. */
export interface Templates {
  /**
   * A value at once where every part is built in, a promise where one is not.
   * @throws TEMPLATE_UNKNOWN, TEMPLATE_DATA_INVALID as `renderMessage`; nothing for a fault of a template of one's own
   */
  readonly render: (request: RenderRequest) => MessageParts | Promise<MessageParts>
  /** Loads every template of one's own and renders it with sample data; empty when all is well. */
  readonly validate: () => Promise<TemplateProblem[]>
}

export function openTemplates(options: TemplatesOptions): Templates {
  const { engine, resources, ttlMs = 60_000, onProblem, now = () => performance.now() } = options
  const all = listSources(options, resources, { ttlMs, now })
  const byType = new Map(all.map((sources) => [`${sources.templateType}/${sources.channel}`, sources]))
  const renderOwn = openRenderOwn(engine, openReports(onProblem))

  return {
    render: (request) => {
      checkTemplateData(request)
      const sources = byType.get(`${request.templateType}/${request.channel}`)
      if (sources === undefined || sources.parts.every(({ fresh }) => fresh(request.locale) === null)) {
        return renderBuiltin(request)
      }
      return renderOwn(request, sources.parts)
    },
    validate: () => validateSources(all, engine),
  }
}
