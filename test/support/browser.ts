/** A real browser for tests. Whatever goes wrong in a tab, and was not provoked by the test, fails the test. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { findChromium } from '../pictures/find-chromium.ts'
import { waitFor } from './servers.ts'

export interface Tab extends AsyncDisposable {
  readonly page: Page
  /** Trouble that the test provokes, such as `/401/`; everything else is found when the tab closes. */
  readonly provokes: (...patterns: readonly RegExp[]) => void
  /** Rules of WCAG 2.1 A and AA and of best practice that the page breaks as it is, as `rule: selector`. */
  readonly violations: () => Promise<string[]>
}

export interface Browser extends AsyncDisposable {
  /** A window with storage and cookies of its own. */
  readonly open: (url: string, options?: BrowserContextOptions) => Promise<Tab>
}

/** Longer than anything takes on a busy machine. */
const PATIENCE_MS = 20_000
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']
const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

export async function openBrowser(): Promise<Browser> {
  const { executablePath, env } = await findChromium(process.env, (line) => console.error(line))
  const browser = await chromium.launch({
    executablePath,
    env: { ...definedOf(process.env), ...env },
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  return {
    open: async (url, options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options })
      context.setDefaultTimeout(PATIENCE_MS)
      const page = await context.newPage()
      const watch = watchTrouble(page)
      await page.goto(url)
      return {
        page,
        provokes: watch.provokes,
        violations: () => violationsIn(page),
        [Symbol.asyncDispose]: async () => {
          await context.close()
          assert.deepEqual(watch.trouble(), [], 'the browser ran into trouble')
        },
      }
    },
    [Symbol.asyncDispose]: () => browser.close(),
  }
}

/** Until nothing loads any more: no placeholders, no region that is busy. */
export async function isLoaded(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor()
  await waitFor(async () => (await page.locator('.loading, [aria-busy="true"]').count()) === 0, {
    timeoutMs: PATIENCE_MS,
    message: 'the view does not come to an end',
  })
}

/** What the console, the network and the page's policy complain about. */
function watchTrouble(page: Page) {
  const found: string[] = []
  const expected: RegExp[] = []
  page.on('console', (message) => {
    if (/^(error|warning)$/.test(message.type())) found.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => found.push(`page: ${error.stack ?? error.message}`))
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? ''
    // A view that is left stops asking.
    if (reason !== 'net::ERR_ABORTED') found.push(`request: ${request.method()} ${request.url()} ${reason}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400)
      found.push(`answer: ${response.status()} to ${response.request().method()} ${response.url()}`)
  })
  return {
    provokes: (...patterns: readonly RegExp[]) => void expected.push(...patterns),
    trouble: () => found.filter((text) => !expected.some((pattern) => pattern.test(text))),
  }
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly target: readonly unknown[] }[]
  }[]
}

/** By the browser's debugging protocol, which the page's policy does not bind. Mails in frames are strangers' documents. */
async function violationsIn(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(await readFile(axeFile, 'utf8'))
  const options = { runOnly: { type: 'tag', values: RULES }, iframes: false, resultTypes: ['violations'] }
  const { violations } = (await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)) as AxeResult
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`))
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
