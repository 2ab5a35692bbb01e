/** `postrider demo`: hundreds of mails with every kind of end, through the real pipeline, in less than a minute. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AdminClient, statusOf } from '../cli/admin-client.ts'
import { MESSAGES, messagePath, type ShownMessage } from '../cli/message-json.ts'
import { openDemoMailServer } from './demo-mail-server.ts'
import { type DemoMail, demoMail, mixedMails } from './demo-mails.ts'
import { BANK, configure, DEMO_PROJECTS, PASSWORD, prepareProject, SHOP, USER } from './demo-projects.ts'
import { OUTCOMES, type Outcome } from './outcomes.ts'

export interface DemoOptions {
  readonly client: AdminClient
  /** Mails of the mixture; some more show what is rare. */
  readonly count: number
  readonly log: (line: string) => void
}

export interface DemoResult {
  /** Project to state to count. */
  readonly messages: Readonly<Record<string, Readonly<Record<string, number>>>>
}

interface Demo extends DemoOptions {
  readonly run: string
  /** By recipient. */
  readonly outcomes: Map<string, Outcome>
  readonly port: number
  readonly connections: () => number
  readonly startedAt: string
}

/** Mails of one round. */
const ROUND = 25
const ROUND_MS = 1_000
/** A courier that follows revisions has connected long before. */
const FIRST_CONNECTION_MS = 20_000
const SETTLE_MS = 15_000
const POLL_MS = 500
const PAGE = 500
/** Until the first of two mails waits for its second try. */
const SUPERSEDE_MS = 15_000

export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const outcomes = new Map<string, Outcome>()
  await using server = await openDemoMailServer({
    user: USER,
    password: PASSWORD,
    answerFor: (recipient) => OUTCOMES[outcomes.get(recipient) ?? 'sent'],
  })
  const { port, connections } = server
  const startedAt = new Date().toISOString()
  const demo: Demo = { ...options, outcomes, port, connections, startedAt, run: randomBytes(2).toString('hex') }
  for (const project of DEMO_PROJECTS) await prepareProject(project, port, demo.client)
  demo.log(`projects ${DEMO_PROJECTS.map(({ slug }) => slug).join(' and ')} send to a mail server of the demo`)
  await checkReached(demo)
  await Promise.all([sendMixture(demo), sendRare(demo), sendOfOperator(demo)])
  await settle(demo)
  await sendThrottled(demo)
  await blockBank(demo)
  return { messages: await countAll(demo) }
}

/** @throws where couriers run on another machine, or may not connect to this one */
async function checkReached(demo: Demo): Promise<void> {
  await send([demoMail({ project: SHOP.slug, outcome: 'sent', run: `${demo.run}.first`, number: 0 })], demo)
  for (const deadline = Date.now() + FIRST_CONNECTION_MS; demo.connections() === 0; await sleep(POLL_MS))
    if (Date.now() > deadline)
      throw new Error(
        `no courier connected to 127.0.0.1:${demo.port}: the demo has to run where the couriers run, and ` +
          'clients.smtp.disallow_private_ip_ranges has to let them; postrider doctor tells whether they are up',
      )
}

async function sendMixture(demo: Demo): Promise<void> {
  const mails = mixedMails([SHOP.slug, SHOP.slug, BANK.slug], demo.count, demo.run)
  for (let start = 0; start < mails.length; start += ROUND) {
    await send(mails.slice(start, start + ROUND), demo)
    demo.log(`${Math.min(start + ROUND, mails.length)} of ${mails.length} mails`)
    await sleep(ROUND_MS)
  }
}

/** What needs a certain order: ends by time, by a newer mail, by an operator; and what an operator sends anew. */
async function sendRare(demo: Demo): Promise<void> {
  const { client, run } = demo
  const one = (outcome: Outcome, name: string, more: { template?: string; expiresInMs?: number } = {}, number = 0) =>
    demoMail({ project: SHOP.slug, outcome, run: `${run}.${name}`, number, ...more })
  const expiring = [0, 1, 2].map((n) => one('deferred', 'late', { expiresInMs: 6_000 }, n))
  const held = one('lost_reply', 'unknown', { template: 'login_code_valid' })
  const replaced = [0, 1].map((n) => one('deferred', 'twice', { template: 'login_code_valid' }, n))
  const regretted = [0, 1, 2].map((n) => one('deferred', 'regretted', {}, n))
  const refused = one('unknown_user', 'moved', { template: 'verifiable_address_changed' })
  await send([...expiring, held], demo)
  const [firstIds, regrettedIds, refusedIds] = [
    await send(replaced, demo),
    await send(regretted, demo),
    await send([refused], demo),
  ]
  await until(SUPERSEDE_MS, () => allIn(firstIds, ['deferred'], client))
  for (const { message } of replaced) demo.outcomes.set(message.recipient, 'sent')
  await send(replaced, demo)
  await until(SUPERSEDE_MS, () => allIn(regrettedIds, ['deferred'], client))
  for (const id of regrettedIds) await act(id, 'cancel', client)
  await until(SUPERSEDE_MS, () => allIn(refusedIds, ['abandoned'], client))
  demo.outcomes.set(refused.message.recipient, 'sent')
  for (const id of refusedIds) await act(id, 'resend', client)
}

/** Only where the operator's mail goes to the dev mailbox: nothing of a demo belongs to a real provider. */
async function sendOfOperator(demo: Demo): Promise<void> {
  const { body } = await demo.client.get('projects/default/identity-config')
  const { courier } = body as { courier?: { delivery_strategy?: string; smtp?: { connection_uri?: string } } }
  if (courier?.delivery_strategy === 'http' || courier?.smtp?.connection_uri) return
  const count = Math.max(1, Math.round(demo.count / 8))
  const numbers = Array.from({ length: count }, (_, number) => number)
  await send(
    numbers.map((number) => demoMail({ project: 'default', outcome: 'sent', run: `${demo.run}.box`, number })),
    demo,
  )
}

/** Last of all: the whole channel of the shop pauses for it. */
async function sendThrottled(demo: Demo): Promise<void> {
  const numbers = [0, 1, 2]
  const one = (outcome: Outcome) => (number: number) =>
    demoMail({ project: SHOP.slug, outcome, run: `${demo.run}.${outcome}`, number })
  await send([...numbers.map(one('throttled')), ...numbers.map(one('sent'))], demo)
}

/** A provider that does not let the project in: the channel stands still, and its mails wait. */
async function blockBank(demo: Demo): Promise<void> {
  await configure(BANK, demo.port, 'not-the-password', demo.client)
  const waiting = [0, 1, 2, 3, 4, 5].map((number) =>
    demoMail({ project: BANK.slug, outcome: 'sent', run: `${demo.run}.waiting`, number }),
  )
  const [id = ''] = await send(waiting, demo)
  const isBlocked = await until(SETTLE_MS, async () => {
    const { blocked_by } = (await demo.client.get(messagePath(id))).body as ShownMessage
    return blocked_by != null
  })
  demo.log(
    isBlocked
      ? `${BANK.slug} has a wrong password now: its channel stands still`
      : `${BANK.slug} was given a wrong password`,
  )
}

/** @returns ids in order */
async function send(mails: readonly DemoMail[], { client, outcomes }: Demo): Promise<string[]> {
  for (const { message, outcome } of mails)
    if (!outcomes.has(message.recipient)) outcomes.set(message.recipient, outcome)
  const { body } = await client.send(
    'POST',
    MESSAGES,
    mails.map(({ message }) => message),
  )
  return (body as { id: string }[]).map(({ id }) => id)
}

/** A message that came to its end meanwhile is no reason to give up. */
async function act(id: string, action: 'cancel' | 'resend', client: AdminClient): Promise<void> {
  try {
    await client.send('POST', messagePath(id, `/${action}`), {})
  } catch (error) {
    if (statusOf(error) !== 409) throw error
  }
}

async function allIn(ids: readonly string[], states: readonly string[], client: AdminClient): Promise<boolean> {
  const shown = await Promise.all(ids.map((id) => client.get(messagePath(id))))
  return shown.every(({ body }) => states.includes((body as ShownMessage).state))
}

/** Waits until nothing is left that was not tried at all, and what gives up soon has given up. */
async function settle(demo: Demo): Promise<void> {
  await until(SETTLE_MS, async () => {
    const counts = await countAll(demo)
    const queued = Object.values(counts).reduce((sum, states) => sum + (states.queued ?? 0), 0)
    return queued === 0 && (counts[BANK.slug]?.deferred ?? 0) === 0 && (counts[SHOP.slug]?.expired ?? 0) > 0
  })
}

async function countAll({ client, startedAt }: Demo): Promise<Record<string, Record<string, number>>> {
  const counts: Record<string, Record<string, number>> = {}
  for (const project of [...DEMO_PROJECTS.map(({ slug }) => slug), 'default']) {
    const states: Record<string, number> = {}
    const query = new URLSearchParams({ project, created_after: startedAt, page_size: String(PAGE) })
    for (let path: string | undefined = `${MESSAGES}?${query}`; path !== undefined; ) {
      const { body, next }: { body: unknown; next: string | undefined } = await client.get(path)
      for (const { state } of body as ShownMessage[]) states[state] = (states[state] ?? 0) + 1
      path = next
    }
    counts[project] = states
  }
  return counts
}

/** @returns whether it came true in time */
async function until(timeoutMs: number, isTrue: () => Promise<boolean>): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(POLL_MS))
    if (await isTrue()) return true
  return false
}
