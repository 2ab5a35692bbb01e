import type { Engine } from '#libs/engine'
import { messageOf } from '#libs/errors'
import { sampleData } from '../sample-data.ts'
import { fieldsOf } from '../template-types.ts'
import { engineData } from './engine-data.ts'
import type { TypeSources } from './list-sources.ts'
import type { PartSource, TemplateSet } from './part-source.ts'
import { explainFailure, type TemplateProblem } from './template-problem.ts'

type About = Pick<TemplateProblem, 'templateType' | 'channel' | 'part'>

/** Renders every template that there is with the sample data of its type. One problem for each place and wording. */
export async function validateSources(
  sources: readonly TypeSources[],
  engine: Pick<Engine, 'renderTemplate'>,
): Promise<TemplateProblem[]> {
  const found: TemplateProblem[] = []
  // One after the other: a hundred at once would only wait for each other in the engine.
  for (const { templateType, channel, parts } of sources) {
    for (const source of parts) {
      found.push(...(await problemsOf(source, { templateType, channel, part: source.part.name }, engine)))
    }
  }
  return [
    ...new Map(found.toReversed().map((each) => [`${each.origin}:${each.line} ${each.problem}`, each])).values(),
  ].reverse()
}

async function problemsOf(
  source: PartSource,
  about: About,
  engine: Pick<Engine, 'renderTemplate'>,
): Promise<TemplateProblem[]> {
  try {
    const sets = await source.variants()
    const checked = await Promise.all(sets.map((set) => problemOf(set, source, about, engine)))
    return checked.flatMap((problem) => problem ?? [])
  } catch (error) {
    return [{ ...about, origin: source.setting, problem: messageOf(error) }]
  }
}

async function problemOf(
  set: TemplateSet,
  { part }: PartSource,
  about: About,
  engine: Pick<Engine, 'renderTemplate'>,
): Promise<TemplateProblem | undefined> {
  const { templateType, channel } = about
  const data = engineData(fieldsOf(templateType, channel), sampleData(templateType, channel))
  const answer = await engine.renderTemplate({ mode: part.mode, files: set.files, main: set.main, ...data })
  return answer.ok ? undefined : { ...about, ...explainFailure(answer, set, true) }
}
