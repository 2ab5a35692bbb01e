/** From a mail to the body of its request. */
import { isCoded, messageOf } from '#libs/errors'
import type { OutgoingMail } from '../channel.ts'
import { DEFAULT_BODY } from './default-body.ts'
import { encodeForm } from './encode-form.ts'
import type { HttpChannelOptions } from './http-options.ts'
import type { HttpSignal } from './http-signal.ts'
import type { SettledRequest } from './settle-request.ts'
import { contextOf, extrasOf } from './template-context.ts'
import { templateProblem } from './template-problem.ts'

export type RenderBody = (mail: OutgoingMail) => Promise<{ readonly body: string } | HttpSignal>

type Made = { readonly json: string } | HttpSignal

export function openRenderBody(
  { engine, resources }: Pick<HttpChannelOptions, 'engine' | 'resources'>,
  { format, bodyUri }: Pick<SettledRequest, 'format' | 'bodyUri'>,
): RenderBody {
  async function load(): Promise<string | HttpSignal> {
    if (bodyUri === undefined) return DEFAULT_BODY
    try {
      return (await resources.load(bodyUri)).toString()
    } catch (error) {
      return { kind: 'no_template', problem: messageOf(error) }
    }
  }

  async function evaluate(source: string, mail: OutgoingMail): Promise<Made> {
    try {
      const answer = await engine.evaluate(source, contextOf(mail), extrasOf(mail))
      if (answer.ok) return answer
      if (answer.kind === 'cancel') return { kind: 'cancelled' }
      return { kind: 'template', problem: templateProblem(answer, source) }
    } catch (error) {
      return { kind: 'engine', isBusy: isCoded(error, 'ENGINE_BUSY'), problem: messageOf(error) }
    }
  }

  return async (mail) => {
    if (format === 'none') return { body: '' }
    const source = await load()
    if (typeof source !== 'string') return source
    const made = await evaluate(source, mail)
    if (!('json' in made)) return made
    // The very text that Jsonnet prints, with its indents and its last line end, is what Ory sends.
    if (format === 'json') return { body: made.json }
    const form = encodeForm(made.json)
    return 'body' in form ? form : { kind: 'template', problem: `does not make a form: ${form.problem}` }
  }
}
