import type { Config } from '#libs/config'
import { messageOf } from '#libs/errors'
import { openResources } from '#libs/resources'
import { SAMPLE_DATA } from '#libs/templates'
import type { RequestConfig } from '../../services/courier/channels/http/http-options.ts'
import { openRenderBody, type RenderBody } from '../../services/courier/channels/http/render-body.ts'
import { settleRequest } from '../../services/courier/channels/http/settle-request.ts'
import { httpGuard } from '../../services/courier/open-channels.ts'
import { openPatientEngine } from './jsonnet-files.ts'
import { sampleMail } from './sample-mail.ts'

/** Settles every request that the configuration names and makes its body for sample mails. @returns problems, with their keys */
export async function checkPayloads({ courier, clients }: Config): Promise<string[]> {
  const resources = openResources({ guard: httpGuard(clients) })
  await using engine = openPatientEngine()
  const problems: string[] = []
  const { delivery_strategy: strategy, http, channels } = courier
  if (strategy === 'http' && http.request_config !== undefined)
    await check('courier.http.request_config', http.request_config, 'email')
  for (const [index, { request_config: config }] of channels.entries())
    await check(`courier.channels[${index}].request_config`, config, 'sms')
  return problems

  async function check(setting: string, config: RequestConfig, channel: 'email' | 'sms'): Promise<void> {
    try {
      const render = openRenderBody({ engine, resources }, settleRequest(config, setting))
      const problem = await problemOf(render, channel)
      if (problem !== undefined) problems.push(`${setting}.body: ${problem}`)
    } catch (error) {
      problems.push(messageOf(error))
    }
  }
}

/** A template may be for some types only: it is broken when it works for none. @returns what the first one came upon */
async function problemOf(render: RenderBody, channel: 'email' | 'sms'): Promise<string | undefined> {
  let first: string | undefined
  for (const sample of SAMPLE_DATA) {
    if (sample.channel !== channel) continue
    const made = await render(sampleMail(sample))
    if ('body' in made || made.kind === 'cancelled') return undefined
    first ??= 'problem' in made ? String(made.problem) : made.kind
  }
  return first
}
