/** The mail provider of one project: step by step to it and back, without a mail. */
import { type AdminClient, statusOf } from '../admin-client.ts'
import { type Check, fail, ok, reasonOf, skip } from './check.ts'

interface Step {
  readonly step: string
  /** null where it was not tried. */
  readonly ok: boolean | null
  readonly ms?: number | null
  readonly detail?: string | null
  readonly remedy?: string | null
}

const USUAL_REMEDY = 'See that the provider is reachable from the console’s machine, and what its own status page says.'

/** @param project id or slug */
export async function providerChecks(client: AdminClient, project: string): Promise<Check[]> {
  const path = `projects/${encodeURIComponent(project)}`
  try {
    const { body } = await client.send('POST', `${path}/test-connection`, {})
    const steps = Array.isArray(body) ? (body as Step[]) : ((body as { steps?: Step[] }).steps ?? [])
    return steps.map(stepCheck)
  } catch (error) {
    const status = statusOf(error)
    // Of the project it is told elsewhere.
    if (status === 404) return [skip('provider', 'this console cannot test a provider, or has no such project')]
    if (status === undefined) return [skip('provider', `the console does not answer: ${reasonOf(error)}`)]
    return [fail('provider', reasonOf(error), USUAL_REMEDY)]
  }
}

function stepCheck({ step, ok: isGood, ms, detail, remedy }: Step): Check {
  const name = `provider.${step}`
  const told = [detail ?? '', ms == null ? '' : `(${ms} ms)`].filter((part) => part !== '').join(' ')
  if (isGood === null) return skip(name, told || 'not tried')
  return isGood ? ok(name, told) : fail(name, told || 'failed', remedy ?? USUAL_REMEDY)
}
