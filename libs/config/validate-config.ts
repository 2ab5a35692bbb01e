import { Ajv, type ErrorObject } from 'ajv'
import { explainError } from './explain-error.ts'
import { DURATION, parseDuration } from './parse-duration.ts'
import { isRate, RATE_MEANING } from './parse-rate.ts'
import type { Problem } from './problem.ts'
import { CONFIG_SCHEMA, type Config } from './schema.ts'
import { keyOf, type Path } from './schema-node.ts'

const validator = new Ajv({ allErrors: true, verbose: true, discriminator: true })
for (const keyword of ['allowed', 'secret', 'uri', 'hidesKeys', 'shownNames']) validator.addKeyword({ keyword })
validator.addKeyword({
  keyword: 'atLeast',
  type: 'string',
  validate: (shortest: string, text: string) => !DURATION.test(text) || parseDuration(text) >= parseDuration(shortest),
})
const isValid = validator.compile<Config>(CONFIG_SCHEMA)

/** The longest life of a message: a later try could not happen any more. */
const LONGEST_DELAY = '120h'

/** @returns every mistake, one per key; none when `value` is a Config */
export function problemsOf(value: unknown): Problem[] {
  if (isValid(value)) return contradictions(value)
  const problems = (isValid.errors ?? []).map((error: ErrorObject) => explainError(CONFIG_SCHEMA, error))
  return [
    ...new Map(problems.toReversed().map((problem) => [keyOf(problem.at ?? problem.path), problem])).values(),
  ].reverse()
}

/** What a schema cannot say: keys that need each other. */
function contradictions({ courier, postrider }: Config): Problem[] {
  const problems: Problem[] = []
  const tell = (path: Path, text: string): number => problems.push({ path, text })

  const { client_cert_path: certificate, client_key_path: key } = courier.smtp
  if ((certificate === '') !== (key === '')) {
    const missing = certificate === '' ? 'client_cert_path' : 'client_key_path'
    tell(['courier', 'smtp', missing], 'found nothing, allowed both client_cert_path and client_key_path or none')
  }
  if (courier.delivery_strategy === 'http' && courier.http.request_config?.url === undefined) {
    tell(['courier', 'http', 'request_config', 'url'], 'found nothing, needed by courier.delivery_strategy: http')
  }
  for (const [index, { id, request_config }] of courier.channels.entries()) {
    const path = ['courier', 'channels', index]
    if (request_config.url === undefined)
      tell([...path, 'request_config', 'url'], 'found nothing, allowed an http:// or https:// URL')
    if (courier.channels.findIndex((channel) => channel.id === id) < index)
      tell([...path, 'id'], `found a second ${id}`)
  }
  for (const delay of postrider.courier.retry_schedule.split(',').map((part) => part.trim())) {
    if (isPossibleDelay(delay)) continue
    tell(['postrider', 'courier', 'retry_schedule'], `found ${delay}, allowed durations from 1ms to ${LONGEST_DELAY}`)
  }
  const { rate } = postrider.courier
  if (rate !== '' && !isRate(rate))
    tell(['postrider', 'courier', 'rate'], `found ${rate}, allowed ${RATE_MEANING}, or nothing`)
  return problems
}

function isPossibleDelay(delay: string): boolean {
  const delayMs = parseDuration(delay)
  return delayMs >= 1 && delayMs <= parseDuration(LONGEST_DELAY)
}
