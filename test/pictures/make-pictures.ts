/** `npm run pictures`: starts the system, fills it with the demo, and takes every view of the page into this folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { openDatabase } from '#libs/database'
import { buildPage } from '../../deploy/local/build-page.ts'
import { openSystem, type System } from '../support/system.ts'
import { findChromium } from './find-chromium.ts'
import { toPalettePng } from './palette-png.ts'
import { type ShownMessages, viewsOf } from './views.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'deploy', 'pictures')
const CLI = join(FOLDER, '..', 'cli', 'main.ts')
const MESSAGES = '/admin/courier/messages'
const DESKTOP = { width: 1280, height: 860 }
const PHONE = { width: 390, height: 844 }
/** The picture at the top of the README. */
const README_PICTURE = 'messages-light'

const SCHEMES = ['light', 'dark'] as const

interface Picture {
  readonly name: string
  readonly path: string
  readonly size: typeof DESKTOP
  readonly press?: string
}

await main()

async function main(): Promise<void> {
  await buildPage()
  await using system = await openSystem({ embedded: process.env.TEST_DATABASE_URL === undefined })
  await runDemo(system)
  await addKeys(system)
  await spreadOverAnHour(system.databaseUrl)
  const pictures = picturesOf(await chooseMessages(system))
  await using browser = await openBrowser()
  let sizeBytes = 0
  for (const picture of pictures) sizeBytes += await take(picture, browser, system)
  console.error(`${pictures.length * SCHEMES.length} pictures, ${Math.round(sizeBytes / 1024)} KiB`)
}

async function runDemo(system: System): Promise<void> {
  const env = { ...process.env, POSTRIDER_URL: system.console, POSTRIDER_HOME: system.home }
  const child = spawn(process.execPath, [CLI, 'demo'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the demo ended with ${code}`)
}

async function addKeys({ console: origin, request }: System): Promise<void> {
  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()
  const [revoked] = [
    await request('POST', `${origin}/admin/keys`, { name: 'old-laptop', role: 'admin' }),
    await request('POST', `${origin}/admin/keys`, { name: 'web-shop', role: 'sender', expires_at: inDays(365) }),
    await request('POST', `${origin}/admin/keys`, { name: 'on-call', role: 'operator', expires_at: inDays(90) }),
    await request('POST', `${origin}/admin/keys`, { name: 'auditor', role: 'viewer', expires_at: inDays(30) }),
  ]
  await request('DELETE', `${origin}/admin/keys/${revoked?.body.id}`)
}

/** The demo lasts half a minute, a column of a chart. Its mails are put into the hour before; what waits, into its last part. */
async function spreadOverAnHour(url: string): Promise<void> {
  await using database = openDatabase({ url, applicationName: 'pictures', max: 1 })
  await database.query({
    text: `with moved as (
             select id, not waits as is_over,
                    make_interval(secs => case when waits then 2400 else 3300 end * (abs(hashtext(id::text)) % 1000) / 1000.0) as earlier
             from (select id, state in ('queued', 'deferred', 'held') as waits from console.message) m
           ), tries as (
             update console.dispatch d set created_at = created_at - earlier
             from moved where moved.id = d.message_id and is_over
           )
           update console.message m
           set created_at = created_at - earlier,
               updated_at = updated_at - case when is_over then earlier else interval '0' end,
               expires_at = expires_at - case when is_over then earlier else interval '0' end
           from moved where moved.id = m.id`,
  })
}

interface FoundMessage {
  readonly id: string
  readonly send_count: number
  readonly template_type: string
  readonly blocked_by: object | null
}

/** One that was sent at the second try, and one behind the wrong password of the bank. */
async function chooseMessages({ console: origin, request }: System): Promise<ShownMessages> {
  const of = async (state: string): Promise<FoundMessage[]> =>
    (await request('GET', `${origin}${MESSAGES}?state=${state}&page_size=250`)).body
  const isCode = ({ template_type }: FoundMessage): boolean => template_type === 'recovery_code_valid'
  const sent = await of('sent')
  const waiting = (await of('deferred')).find(({ blocked_by }) => blocked_by !== null)
  const retried = sent.find((message) => message.send_count > 1 && isCode(message)) ?? sent.find(isCode) ?? sent[0]
  if (retried === undefined || waiting === undefined) throw new Error('the demo left nothing to show')
  return { sent: retried.id, waiting: waiting.id }
}

function picturesOf(messages: ShownMessages): Picture[] {
  const desktop = viewsOf(messages, 'demo-shop').map((view) => ({ ...view, size: DESKTOP }))
  return [...desktop, { name: 'message-phone', path: `/messages/${messages.waiting}`, size: PHONE }]
}

async function openBrowser(): Promise<Browser & AsyncDisposable> {
  const { executablePath, env } = await findChromium(process.env, (line) => console.error(line))
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({
    executablePath,
    args,
    env: { ...process.env, ...env } as Record<string, string>,
  })
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() })
}

/** @returns bytes written */
async function take({ name, path, size, press }: Picture, browser: Browser, system: System): Promise<number> {
  const context = await browser.newContext({ viewport: size, locale: 'en-GB' })
  const page = await context.newPage()
  await page.goto(system.console + path)
  await page.locator('h1').first().waitFor()
  if (press !== undefined) await page.getByRole('button', { name: press }).click()
  await page.waitForLoadState('networkidle')
  let sizeBytes = 0
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme })
    const png = toPalettePng(await page.screenshot())
    await writeFile(join(FOLDER, `${name}-${colorScheme}.png`), png)
    if (`${name}-${colorScheme}` === README_PICTURE) await writeFile(join(FOLDER, 'email-delivery.png'), png)
    sizeBytes += png.length
  }
  await context.close()
  return sizeBytes
}
