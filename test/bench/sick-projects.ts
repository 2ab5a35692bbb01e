/**
 * What the healthy projects notice of sick ones: latency without them, and with one project whose server hangs and one whose server
 * refuses its password, each with mail waiting. In turns, so that the machine's moods fall on both.
 */
import { openDatabase } from '#libs/database'
import { openProjects } from '../support/projects.ts'
import { waitFor } from '../support/servers.ts'
import { openSmtpSink } from '../support/smtp-sink.ts'
import { type LatencyOptions, measureLatency } from './latency.ts'

const ROUNDS = 3
const WAITING = 400
const MENDS = { timeoutMs: 120_000, message: 'mails of the mended projects are missing' }

export interface SickProjectsResult {
  /** ms, ascending. */
  readonly without: readonly number[]
  readonly together: readonly number[]
}

export async function measureBesideSickProjects(options: LatencyOptions): Promise<SickProjectsResult> {
  const { system, secret } = options
  await using database = openDatabase({ url: system.databaseUrl, applicationName: 'bench', max: 2 })
  await using hanging = await openSmtpSink({ greeting: null })
  await using refusing = await openSmtpSink({ auth: { user: 'right', password: 'right', mechanisms: ['PLAIN'] } })
  await using mended = await openSmtpSink({ lean: true })
  const projects = openProjects(database, secret)
  const at = (authority: string) => ({
    courier: { smtp: { connection_uri: `smtp://${authority}/?disable_starttls=true` } },
  })
  const without: number[] = []
  const together: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    without.push(...(await measureLatency(options)))
    await projects.configure('hangs', at(`127.0.0.1:${hanging.port}`))
    await projects.configure('refuses', at(`wrong:wrong@127.0.0.1:${refusing.port}`))
    const [hung, refused] = [hanging.connections(), refusing.connections()]
    await enqueue('hangs')
    await enqueue('refuses')
    await waitFor(() => hanging.connections() >= hung + 20 && refusing.connections() > refused, {
      timeoutMs: 60_000,
      message: 'the sick projects do not get in the way',
    })
    together.push(...(await measureLatency(options)))
    for (const slug of ['hangs', 'refuses']) await projects.configure(slug, at(`127.0.0.1:${mended.port}`))
    await waitFor(() => mended.accepted() >= 2 * WAITING * round, MENDS)
  }
  const ascending = (values: number[]) => values.sort((a, b) => a - b)
  return { without: ascending(without), together: ascending(together) }

  async function enqueue(project: string): Promise<void> {
    const messages = Array.from({ length: WAITING }, (_, index) => ({
      recipient: `${project}-${index}@example.org`,
      template_type: 'login_code_valid',
      template_data: { login_code: '123456' },
      project,
    }))
    const { status } = await system.request('POST', `${system.console}/admin/courier/messages`, messages)
    if (status !== 202) throw new Error(`the messages of ${project} were answered with ${status}`)
  }
}
