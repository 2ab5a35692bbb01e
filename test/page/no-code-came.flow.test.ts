/** "A user says that no code came": from the address to the cause, the cause mended, the mail at the server, in a real browser. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Locator } from 'playwright-core'
import { viewsOf } from '../pictures/views.ts'
import { isLoaded, openBrowser, type Tab } from '../support/browser.ts'
import { waitFor } from '../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'

const USER = 'mailer'
const WRONG = 'w8ong-9a55'
/** Has to be percent-encoded in a URI. */
const RIGHT = 'r1ght p@ss/word'
const ADA = 'ada.lovelace@example.org'
const GRACE = 'grace.hopper@example.org'
const ALAN = 'alan.turing@example.org'
const CODE = '482913'
const LIMIT = { timeout: 60_000 }
/** In the browser's own words; tests have no types of documents. */
const TOO_WIDE_PX = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
/** Of the lines that stand for what still loads. */
const ANIMATIONS = `(() => {
  const place = document.body.appendChild(document.createElement('div'))
  place.className = 'loading'
  place.append(document.createElement('span'))
  const { length } = document.getAnimations()
  place.remove()
  return length
})()`
const EXPIRES_MS = 4_000

describe('an SRE whom a user tells that no code came', () => {
  const opened = new AsyncDisposableStack()
  let sink: SmtpSink
  let system: System
  let tab: Tab
  let graceId: string
  let alanId: string
  before(async () => {
    const auth = {
      user: USER,
      password: RIGHT,
      mechanisms: ['PLAIN', 'LOGIN'],
      refusal: '535 5.7.8 Credentials invalid',
    }
    sink = opened.use(await openSmtpSink({ auth }))
    system = opened.use(await openSystem())
    const browser = opened.use(await openBrowser())
    await makeProject()
    const code = { template_type: 'login_code_valid', template_data: { login_code: CODE } }
    const notice = {
      template_type: 'verifiable_address_changed',
      template_data: { changed_at: '2026-01-02T03:04:05Z' },
    }
    await accept(ADA, code)
    const expires_at = new Date(Date.now() + EXPIRES_MS).toISOString()
    graceId = await accept(GRACE, { ...notice, expires_at })
    alanId = await accept(ALAN, { ...code, expires_at })
    tab = opened.use(await browser.open(system.console))
  })
  after(() => opened.disposeAsync())

  async function makeProject(): Promise<void> {
    const path = `${system.console}/projects`
    assert.equal((await system.request('POST', path, { name: 'Shop', slug: 'shop' })).status, 201)
    const { body, headers } = await system.request('GET', `${path}/shop/identity-config`)
    const connection_uri = `smtp://${USER}:${WRONG}@127.0.0.1:${sink.port}/?disable_starttls=true`
    body.courier.smtp = { ...body.courier.smtp, connection_uri, from_address: 'no-reply@shop.example' }
    const condition = { 'if-match': headers.get('etag') ?? '' }
    assert.equal((await system.request('PUT', `${path}/shop/identity-config`, body, condition)).status, 200)
  }
  async function accept(recipient: string, mail: object): Promise<string> {
    const message = { recipient, project: 'shop', ...mail }
    const { status, body } = await system.request('POST', `${system.console}/admin/courier/messages`, message)
    assert.equal(status, 202)
    return body.id
  }
  const press = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) await tab.page.keyboard.press(key)
  }
  /** Tabs on until `wanted` has the focus. */
  const tabTo = async (wanted: Locator, most = 40): Promise<void> => {
    for (let count = 0; count < most; count++) {
      if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return
      await press('Tab')
    }
    assert.fail(`the focus did not come to ${wanted}`)
  }
  const text = async (): Promise<string> => (await tab.page.locator('main').textContent()) ?? ''
  const hasText = (pattern: RegExp) =>
    waitFor(async () => pattern.test(await text()), { timeoutMs: 20_000, message: `no ${pattern} on the page` })

  it('sees which channel stands still', LIMIT, async () => {
    await tab.page.getByRole('region', { name: 'Channels' }).getByText('Stands still').waitFor()
    await hasText(/refused the login with 535/)
  })

  it('finds the message by the address, with the keyboard alone', LIMIT, async () => {
    const { page } = tab
    await tabTo(page.getByRole('link', { name: 'Messages', exact: true }))
    await press('Enter')
    await page.getByRole('heading', { name: 'Messages' }).waitFor()
    await press('/')
    await page.keyboard.type(ADA)
    await press('Enter')
    await waitFor(async () => (await page.getByRole('row').count()) === 2, { message: 'the list is not filtered' })
    assert.equal(new URL(page.url()).searchParams.get('q'), ADA)
    const link = page.getByRole('link', { name: ADA })
    await tabTo(link)
    const outline = await link.evaluate(
      (element) => element.ownerDocument.defaultView?.getComputedStyle(element).outlineStyle,
    )
    assert.equal(outline, 'solid', 'the focus cannot be seen')
    await press('Enter')
    await page.getByRole('heading', { name: ADA }).waitFor()
  })

  it(
    'reads why it waits: the channel, the reply of the attempt, and what was said, without the password',
    LIMIT,
    async () => {
      const { page } = tab
      await hasText(/Waits for its channel: .*refused the login with 535/)
      await page.getByRole('tab', { name: /Attempts/ }).click()
      const row = page.getByRole('region', { name: 'Attempts' }).getByRole('row').nth(1)
      await row.getByText('535 5.7.8').waitFor()
      await page.getByText('Conversation of attempt 1').click()
      await hasText(/AUTH PLAIN/)
      const shown = await page.content()
      for (const secret of [WRONG, `\0${USER}\0${WRONG}`].flatMap((plain) => [plain, btoa(plain)]))
        assert.ok(!shown.includes(secret), 'the password is on the page')
      await page.getByRole('tab', { name: 'Trace' }).click()
      await page
        .getByRole('region', { name: 'Trace' })
        .getByRole('row', { name: /attempt 1 .*535/ })
        .waitFor()
    },
  )

  it('tests the connection of the project, which names the step and the remedy', LIMIT, async () => {
    const { page } = tab
    await page.getByRole('link', { name: 'Shop', exact: true }).click()
    await page.getByRole('heading', { name: 'Email Configuration' }).waitFor()
    await page.getByRole('button', { name: 'Test', exact: true }).click()
    await page.getByRole('button', { name: 'Test connection' }).click()
    await page.getByText('It does not work yet.').waitFor()
    const failed = page.getByRole('listitem').filter({ has: page.getByText('failed', { exact: true }) })
    assert.match((await failed.textContent()) ?? '', /AUTH.*535/)
    assert.match((await failed.locator('.remedy').textContent()) ?? '', /password/)
  })

  it('mends the password, sees the connection work, and the mail go out', LIMIT, async () => {
    const { page } = tab
    for (const id of [graceId, alanId]) await system.messageIn(id, 'expired')
    await page.getByRole('button', { name: 'Settings' }).click()
    await page.getByLabel('Password').fill(RIGHT)
    await page.getByRole('button', { name: 'Test', exact: true }).click()
    await page.getByRole('button', { name: 'Test connection' }).click()
    await page.getByText('It works.').waitFor()
    await page.getByRole('button', { name: 'Settings' }).click()
    await page.getByText('1 unsaved change').waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved as revision').waitFor()
    assert.ok(!(await page.content()).includes(RIGHT), 'the password is on the page')

    await page.getByRole('link', { name: 'Messages', exact: true }).click()
    await page.getByRole('link', { name: ADA }).click()
    await page.getByRole('heading', { name: `${ADA} Sent` }).waitFor()
    assert.deepEqual(
      sink.mails.filter(({ to }) => to === ADA).map(({ raw }) => raw.includes(CODE)),
      [true],
    )
  })

  it('sends the notice again that expired meanwhile', LIMIT, async () => {
    const { page } = tab
    await page.getByRole('link', { name: '← Messages' }).click()
    await page.getByLabel('State').selectOption('expired')
    await page.getByRole('link', { name: GRACE }).click()
    await page.getByRole('heading', { name: `${GRACE} Expired` }).waitFor()
    await page.getByRole('button', { name: 'Resend' }).click()
    await page.getByRole('heading', { name: `${GRACE} Sent` }).waitFor()
    await page.getByRole('link', { name: graceId }).waitFor()
    await waitFor(() => sink.mails.some(({ to }) => to === GRACE), { message: 'the mail did not come' })
    assert.equal(sink.mails.filter(({ to }) => to === GRACE).length, 1)
  })

  it('is told why an expired code is of no use any more', LIMIT, async () => {
    const { page } = tab
    tab.provokes(/\b409\b/)
    await page.goto(`${system.console}/messages/${alanId}`)
    await page.getByRole('button', { name: 'Resend' }).click()
    await page.getByText('The code has expired: ask for a new one.').waitFor()
  })

  it('finds what was done in the audit log', LIMIT, async () => {
    const { page } = tab
    await page.getByRole('link', { name: 'Audit', exact: true }).click()
    await page.getByRole('row', { name: /Message resend/ }).waitFor()
  })

  it('opens every view without a barrier, in light and in dark', { timeout: 120_000 }, async () => {
    const { page } = tab
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      for (const { name, path } of viewsOf({ sent: graceId, waiting: alanId }, 'shop')) {
        await page.goto(system.console + path)
        await isLoaded(page)
        assert.deepEqual(await tab.violations(), [], `${name}, ${colorScheme}`)
      }
    }
  })

  it('reads every view on a phone without scrolling sideways', LIMIT, async () => {
    const { page } = tab
    await page.setViewportSize({ width: 360, height: 740 })
    for (const { name, path } of viewsOf({ sent: graceId, waiting: alanId }, 'shop')) {
      await page.goto(system.console + path)
      await isLoaded(page)
      assert.equal(await page.evaluate(TOO_WIDE_PX), 0, `${name} scrolls sideways`)
    }
  })

  it('sees nothing move who wants less motion', LIMIT, async () => {
    const { page } = tab
    await page.emulateMedia({ reducedMotion: 'reduce' })
    assert.equal(await page.evaluate(ANIMATIONS), 0)
    await page.emulateMedia({ reducedMotion: 'no-preference' })
    assert.equal(await page.evaluate(ANIMATIONS), 1)
  })
})
