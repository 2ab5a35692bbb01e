import type { Config } from '#libs/config'
import { messageOf } from '#libs/errors'
import { openGuard, openResources } from '#libs/resources'
import { SAMPLE_DATA } from '#libs/templates'
import type { RequestConfig } from '../../services/courier/channels/http/http-options.ts'
import { openRenderBody, type RenderBody } from '../../services/courier/channels/http/render-body.ts'
import { settleRequest } from '../../services/courier/channels/http/settle-request.ts'
import { openPatientEngine } from './jsonnet-files.ts'
import { sampleMail } from './sample-mail.ts'

/** Settles every request that the configuration names and makes its body for sample mails. @returns problems, with their keys */
export async function checkPayloads({ courier, clients }: Config): Promise<string[]> {
  const requests = courier.channels.map(
    ({ request_config: config }, index) => [`courier.channels[${index}].request_config`, config] as const,
  )
  const { request_config: request } = courier.http
  const mails = courier.delivery_strategy === 'http' && request !== undefined ? [request] : []
  const { disallow_private_ip_ranges: disallowPrivate, private_ip_exception_urls: exceptionUrls } = clients.http
  const resources = openResources({ guard: openGuard({ disallowPrivate, exceptionUrls }) })
  await using engine = openPatientEngine()
  const problems: string[] = []
  for (const config of mails) await check('courier.http.request_config', config, 'email')
  for (const [setting, config] of requests) await check(setting, config, 'sms')
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
