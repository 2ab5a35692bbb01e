/** One message with at least one part that may be of one's own. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine, EngineAnswer, TemplateJob } from '#libs/engine'
import { isCoded, messageOf } from '#libs/errors'
import { builtinPart } from '../builtin-templates.ts'
import type { MessageParts, RenderRequest } from '../render-message.ts'
import { fieldsOf } from '../template-types.ts'
import { engineData } from './engine-data.ts'
import type { PartSource, TemplateSet } from './part-source.ts'
import type { Reports } from './report-once.ts'
import { TEMPLATE_PARTS } from './template-parts.ts'
import { explainFailure } from './template-problem.ts'

export type RenderOwn = (request: RenderRequest, sources: readonly PartSource[]) => Promise<MessageParts>

/** A mail waits no longer for a template or for the engine than this, then it takes the last copy or the built-in part. */
const PATIENCE_MS = 3_000
const BUSY_PAUSE_MS = 25

/** @param reports is told what goes wrong, without a value of the message */
export function openRenderOwn(engine: Pick<Engine, 'renderTemplate'>, reports: Reports): RenderOwn {
  async function ownPart(request: RenderRequest, source: PartSource): Promise<string | undefined> {
    const { templateType, channel } = request
    const about = { templateType, channel, part: source.part.name }
    try {
      const set = await source.load(request.locale, PATIENCE_MS)
      const answer = set === null ? undefined : await renderPatiently(engine, jobOf(request, source, set))
      reports.forget(source.origin)
      if (set === null || answer === undefined) return undefined
      if (answer.ok) return answer.text
      reports.ofContent(set, { ...about, ...explainFailure(answer, set, false) })
    } catch (error) {
      // It could not be loaded, or the engine is in trouble of its own: neither quotes the data.
      reports.ofSource(source.origin, { ...about, origin: source.setting, problem: messageOf(error) })
    }
    return undefined
  }

  return async (request, sources) => {
    const { templateType, channel, data } = request
    const parts: Partial<Record<keyof MessageParts, string>> = {}
    // One after the other, so that a mail has one job in the engine's queue and not three.
    for (const { name } of TEMPLATE_PARTS[channel]) {
      const source = sources.find(({ part }) => part.name === name)
      const own = source === undefined ? undefined : await ownPart(request, source)
      parts[name] = own ?? builtinPart(templateType, channel, name)(data)
    }
    const { subject = '', text = '', html = '' } = parts
    // An empty HTML template is how one says: plain text only.
    return { subject: subject.trim(), text, ...(html.trim() !== '' && { html }) }
  }
}

function jobOf(request: RenderRequest, { part }: PartSource, { files, main }: TemplateSet): TemplateJob {
  const { templateType, channel, data, requestHeaders } = request
  return { mode: part.mode, files, main, ...engineData(fieldsOf(templateType, channel), data, requestHeaders) }
}

/** An engine with a full queue has room again in a moment; no reason to send a mail that looks like someone else's. */
async function renderPatiently(engine: Pick<Engine, 'renderTemplate'>, job: TemplateJob): Promise<EngineAnswer> {
  const giveUpMs = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await engine.renderTemplate(job)
    } catch (error) {
      if (!isCoded(error, 'ENGINE_BUSY') || performance.now() > giveUpMs) throw error
      await sleep(BUSY_PAUSE_MS)
    }
  }
}
