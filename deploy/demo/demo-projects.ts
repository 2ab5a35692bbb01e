/** The projects of the demo, and their end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isCoded } from '#libs/errors'
import type { AdminClient } from '../cli/admin-client.ts'

/** Until the couriers have let go of everything. */
const CANCEL_MS = 20_000
const LOOK_MS = 300
const QUIET_LOOKS = 2

export const USER = 'demo'
export const PASSWORD = 'demo'

interface DemoProject {
  readonly slug: string
  readonly name: string
  /** What is special about its delivery. */
  readonly limits: Readonly<Record<string, unknown>>
  readonly retries: number
}

/** Puts off for long after some quick tries, and leaves it to an operator where it is not known whether a mail arrived. */
export const SHOP: DemoProject = {
  slug: 'demo-shop',
  name: 'Demo Shop',
  retries: 4,
  limits: {
    rate: '50/1s',
    retry_schedule: '1s,2s,2s,30m',
    on_unknown: { registration_code_valid: 'hold', login_code_valid: 'hold' },
  },
}
/** Gives up soon. */
export const BANK: DemoProject = {
  slug: 'demo-bank',
  name: 'Demo Bank',
  retries: 2,
  limits: { concurrency: 5, retry_schedule: '1s,2s' },
}
export const DEMO_PROJECTS: readonly DemoProject[] = [SHOP, BANK]

/** Makes the project, or takes the one that an earlier demo left, and points it at the server. */
export async function prepareProject(project: DemoProject, port: number, client: AdminClient): Promise<void> {
  if (!(await exists(project, client)))
    await client.send('POST', 'projects', { name: project.name, slug: project.slug })
  await configure(project, port, PASSWORD, client)
}

/** A new revision of its configuration. */
export async function configure(
  project: DemoProject,
  port: number,
  password: string,
  client: AdminClient,
): Promise<void> {
  const { slug, retries, limits } = project
  await client.send('PUT', `projects/${slug}/identity-config`, {
    courier: {
      message_retries: retries,
      smtp: {
        connection_uri: `smtp://${USER}:${password}@127.0.0.1:${port}/?disable_starttls=true`,
        from_address: `no-reply@${slug}.example.org`,
        from_name: project.name,
      },
    },
    postrider: { courier: limits },
  })
}

export interface Cleaned {
  /** Projects whose configuration is empty now. */
  readonly cleaned: readonly string[]
  /** Those that still send something, and keep theirs: through the operator's provider it would reach somebody else. */
  readonly busy: readonly string[]
  readonly cancelled: number
}

/** Cancels what is still open, then empties the configurations: sent and abandoned messages stay until their retention ends. */
export async function cleanProjects(client: AdminClient): Promise<Cleaned> {
  const cleaned: string[] = []
  const busy: string[] = []
  let cancelled = 0
  for (const project of DEMO_PROJECTS) {
    if (!(await exists(project, client))) continue
    const { count, isDone } = await cancelAll(project, client)
    cancelled += count
    if (isDone) await client.send('PUT', `projects/${project.slug}/identity-config`, {})
    if (isDone) cleaned.push(project.slug)
    else busy.push(project.slug)
  }
  return { cleaned, busy, cancelled }
}

/** A message that is being sent, or is not projected yet, takes another look. */
async function cancelAll({ slug }: DemoProject, client: AdminClient): Promise<{ count: number; isDone: boolean }> {
  let count = 0
  let quiet = 0
  for (const deadline = Date.now() + CANCEL_MS; Date.now() < deadline && quiet < QUIET_LOOKS; await sleep(LOOK_MS)) {
    const { body } = await client.send('POST', 'admin/courier/messages/cancel', { project: slug })
    const { count: done, skipped } = body as { count: number; skipped: number }
    count += done
    quiet = done + skipped === 0 && (await isIdle(slug, client)) ? quiet + 1 : 0
  }
  return { count, isDone: quiet >= QUIET_LOOKS }
}

async function isIdle(slug: string, client: AdminClient): Promise<boolean> {
  const looks = ['queued', 'processing'].map(async (status) => {
    const query = new URLSearchParams({ project: slug, status, page_size: '1' })
    return ((await client.get(`admin/courier/messages?${query}`)).body as unknown[]).length === 0
  })
  return (await Promise.all(looks)).every(Boolean)
}

async function exists({ slug }: DemoProject, client: AdminClient): Promise<boolean> {
  try {
    // The beginning of another slug would be found too.
    return ((await client.get(`projects/${slug}`)).body as { slug: string }).slug === slug
  } catch (error) {
    if (isCoded(error, 'NOT_FOUND')) return false
    throw error
  }
}
