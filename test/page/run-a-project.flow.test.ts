/** An operator's day on a console that the whole network reaches: keys, a project over HTTP, templates, what waits, what was done. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Browser, isLoaded, openBrowser, type Tab } from '../support/browser.ts'
import { type HttpSink, openHttpSink, replying } from '../support/http-sink.ts'
import { waitFor } from '../support/servers.ts'
import { openSystem, type System } from '../support/system.ts'

const ADMIN_KEY = 'planted-admin-key-of-the-page-test'
const ADDRESS = 'ada@example.org'
const CODE = '482913'
const WAITING = ['one', 'two', 'three'].map((name) => `waits-${name}@example.org`)
const LIMIT = { timeout: 60_000 }
/** Asked before there is a key, and with a wrong one. */
const REFUSED = /\b401\b/

describe('an operator beyond loopback', () => {
  const opened = new AsyncDisposableStack()
  let provider: HttpSink
  let system: System
  let browser: Browser
  let tab: Tab
  let viewerKey: string
  before(async () => {
    const templates = await mkdtemp(join(tmpdir(), 'postrider-templates-'))
    opened.defer(() => rm(templates, { recursive: true }))
    const folder = join(templates, 'recovery_code', 'valid')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'email.subject.gotmpl'), 'Your code is {{ .RecoveryCode }}')
    await writeFile(join(folder, 'email.subject.de.gotmpl'), 'Ihr Code ist {{ .RecoveryCode }}')
    provider = opened.use(await openHttpSink())
    system = opened.use(
      await openSystem({
        env: {
          POSTRIDER_CONSOLE_HOST: '0.0.0.0',
          POSTRIDER_CONSOLE_ADMIN_KEY: ADMIN_KEY,
          COURIER_TEMPLATE_OVERRIDE_PATH: templates,
        },
      }),
    )
    browser = opened.use(await openBrowser())
    tab = opened.use(await browser.open(system.console, { acceptDownloads: true }))
    tab.provokes(REFUSED)
  })
  after(() => opened.disposeAsync())

  const accept = async (recipient: string): Promise<string> => {
    const message = {
      recipient,
      project: 'acme',
      template_type: 'login_code_valid',
      template_data: { login_code: CODE },
    }
    const authorization = { authorization: `Bearer ${ADMIN_KEY}` }
    const path = `${system.console}/admin/courier/messages`
    const { status, body } = await system.request('POST', path, message, authorization)
    assert.equal(status, 202)
    return body.id
  }
  const signIn = async ({ page }: Tab, key: string): Promise<void> => {
    await page.getByLabel('API key').fill(key)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  const goTo = async ({ page }: Tab, name: string): Promise<void> => {
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click()
    await isLoaded(page)
  }
  const rows = (): Promise<number> => tab.page.locator('tbody tr').count()

  it('is asked for a key, and told that a wrong one is none', LIMIT, async () => {
    await signIn(tab, 'pr_wrong_key')
    await tab.page.getByRole('alert').waitFor()
    await signIn(tab, ADMIN_KEY)
    await tab.page.getByRole('heading', { name: 'Email delivery' }).waitFor()
    const kept = await tab.page.evaluate<string>('document.cookie + JSON.stringify(localStorage)')
    assert.ok(!kept.includes(ADMIN_KEY))
  })

  it('makes a project and fills the form of its HTTP server in', LIMIT, async () => {
    const { page } = tab
    await goTo(tab, 'Configuration')
    await page.getByRole('button', { name: 'New project' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Acme')
    await page.getByRole('button', { name: 'Make project' }).click()
    await page.getByText('Project Acme made').waitFor()
    await page.getByRole('radio', { name: 'HTTP server' }).check()
    await page.getByLabel('URL', { exact: true }).fill(`${provider.origin}/mails`)
    await page.getByLabel('Authentication').selectOption('User and password')
    await page.getByLabel('User', { exact: true }).fill('acme')
    await page.getByLabel('Password', { exact: true }).fill('s3cret-of-acme')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved as revision 2').waitFor()
    assert.equal(new URL(page.url()).searchParams.get('project'), 'acme')
  })

  it('sends a test mail and follows it to the provider', LIMIT, async () => {
    const { page } = tab
    await page.getByRole('button', { name: 'Test', exact: true }).click()
    await page.getByLabel('Recipient').fill(ADDRESS)
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('The server took it.').waitFor()
    const request = await waitFor(() => provider.requests[0])
    assert.equal(request.headers.authorization, `Basic ${btoa('acme:s3cret-of-acme')}`)
    assert.ok(request.body.includes(ADDRESS))
    await page.getByRole('link', { name: 'Open the message' }).click()
    await page.getByRole('heading', { name: `${ADDRESS} Sent` }).waitFor()
  })

  it('previews a template in two languages', LIMIT, async () => {
    const { page } = tab
    await page.goto(`${system.console}/templates`)
    await page.getByRole('link', { name: 'Recovery code valid' }).click()
    await page.getByRole('heading', { name: /^Your code is \d+$/ }).waitFor()
    await page.getByLabel('Locale').fill('de-AT')
    await page.getByLabel('Locale').press('Enter')
    await page.getByRole('heading', { name: /^Ihr Code ist \d+$/ }).waitFor()
    await page.frameLocator('iframe[title="The mail as HTML"]').locator('body').getByText(/\d{6}/).first().waitFor()
  })

  it('sees a new message come while following live', LIMIT, async () => {
    const { page } = tab
    provider.answer = replying(503, 'later')
    await goTo(tab, 'Messages')
    await page.getByLabel('Follow live').check()
    await page.getByText('●').waitFor()
    for (const address of WAITING) await accept(address)
    for (const address of WAITING) await page.getByRole('link', { name: address }).waitFor()
    await page.getByRole('row', { name: `Deferred ${WAITING[0]}` }).waitFor()
  })

  it('keeps filters in the URL: over a reload, and back and forward', LIMIT, async () => {
    const { page } = tab
    await page.goto(`${system.console}/messages?project=acme`)
    await page.getByLabel('State').selectOption('deferred')
    await waitFor(async () => (await rows()) === WAITING.length, { message: 'not all of them wait' })
    await page.reload()
    await isLoaded(page)
    assert.equal(await page.getByLabel('State').inputValue(), 'deferred')
    assert.equal(await rows(), WAITING.length)
    await page.getByRole('link', { name: WAITING[0]! }).click()
    await page.getByRole('heading', { name: WAITING[0]! }).waitFor()
    await page.goBack()
    await waitFor(async () => (await rows()) === WAITING.length)
    await page.goBack()
    await waitFor(async () => (await rows()) === WAITING.length + 1)
    await page.goForward()
    await waitFor(async () => (await rows()) === WAITING.length)
  })

  it('takes the list away as CSV', LIMIT, async () => {
    const { page } = tab
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export CSV' }).click(),
    ])
    assert.equal(download.suggestedFilename(), 'messages.csv')
    const [head, ...lines] = (await readFile(await download.path(), 'utf8')).trim().split('\n')
    assert.ok(head?.startsWith('id,state,recipient,'))
    assert.deepEqual(lines.map((line) => line.split(',')[2]).sort(), WAITING.toSorted())
  })

  it('sees codes hidden until a reason is given, which is written down', LIMIT, async () => {
    const { page } = tab
    await page.getByRole('link', { name: WAITING[0]! }).click()
    await page.getByRole('tab', { name: 'Content' }).click()
    await page.getByText('Codes and links are hidden.').waitFor()
    const mail = page.frameLocator('iframe[title="The mail as HTML"]')
    await mail.getByText('4•').first().waitFor()
    assert.ok(!(await page.content()).includes(CODE))
    await page.getByLabel('Why you have to see it').fill('asked by the user')
    await page.getByRole('button', { name: 'Reveal' }).click()
    await page.getByRole('heading', { name: new RegExp(CODE) }).waitFor()
    await mail.getByText(CODE).first().waitFor()
  })

  it('cancels what the filter shows, counted first', LIMIT, async () => {
    const { page } = tab
    await page.goto(`${system.console}/messages?project=acme&state=deferred`)
    await page.getByRole('button', { name: 'Cancel all' }).click()
    const dialog = page.getByRole('dialog', { name: 'Cancel 3 messages?' })
    await dialog.getByRole('button', { name: 'Keep as it is' }).click()
    assert.equal(await rows(), WAITING.length)
    await page.getByRole('button', { name: 'Cancel all' }).click()
    await dialog.getByRole('button', { name: 'Cancel 3 messages' }).click()
    await page.getByText('3 done').waitFor()
    await page.getByText('No message matches.').waitFor()
  })

  it('makes a key, whose token is shown once', LIMIT, async () => {
    const { page } = tab
    await goTo(tab, 'API keys')
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByLabel('Name').fill('auditor')
    await page.getByRole('button', { name: 'Make key' }).click()
    viewerKey = (await page.locator('.token code').textContent()) ?? ''
    assert.match(viewerKey, /^pr_[0-9a-f]+_.{20,}$/)
    await page.getByRole('button', { name: 'I have copied it' }).click()
    await page.getByRole('row', { name: /auditor.*active viewer/ }).waitFor()
    await page.reload()
    await page.getByRole('row', { name: /auditor/ }).waitFor()
    assert.ok(!(await page.content()).includes(viewerKey))
  })

  it('lets a viewer look and change nothing', LIMIT, async () => {
    await using viewer = await browser.open(system.console)
    viewer.provokes(REFUSED)
    const { page } = viewer
    await signIn(viewer, viewerKey)
    await goTo(viewer, 'Messages')
    await page.getByRole('link', { name: WAITING[0]! }).waitFor()
    assert.equal(await page.getByRole('button', { name: /Retry|Cancel/ }).count(), 0)
    await page.getByRole('link', { name: WAITING[0]! }).click()
    await page.getByRole('tab', { name: 'Content' }).click()
    await page.getByText('Revealing them takes the role operator.').waitFor()
    assert.equal(await page.getByRole('button', { name: /Resend|Reveal|Cancel/ }).count(), 0)
    await page.goto(`${system.console}/configuration?project=acme`)
    await page.getByText('Changing it takes the role admin.').waitFor()
    assert.ok(await page.getByRole('radio', { name: 'SMTP server' }).isDisabled())
    assert.equal(await page.getByRole('button', { name: /Save|New project/ }).count(), 0)
  })

  it('finds all of it in the audit log, and signs out', LIMIT, async () => {
    const { page } = tab
    await goTo(tab, 'Audit')
    for (const done of [/Messages cancel/, /Content reveal.*asked by the user/, /Key create/, /Project configure/])
      await page.getByRole('row', { name: done }).first().waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await page.goto(`${system.console}/messages`)
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
  })
})
