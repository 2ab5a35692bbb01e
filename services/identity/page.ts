/** The few pages that a link in a mail opens: no script, nothing from elsewhere, nothing kept in caches. */
import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

export interface Page {
  readonly title: string
  readonly text: string
  /** A button that posts `fields` to `action`. */
  readonly form?: {
    readonly action: string
    readonly fields: Readonly<Record<string, string>>
    readonly button: string
  }
  /** Shown to be copied. */
  readonly copy?: string
}

const STYLE = `
:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif; }
body { margin: 0; color: #1b1b1f; background: #ffffff; }
main { box-sizing: border-box; max-width: 34rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { margin: 0 0 1rem; font-size: 1.75rem; line-height: 1.2; }
code { display: block; padding: 1rem; overflow-wrap: anywhere; background: #f0f0f3; border-radius: .375rem; user-select: all; }
button { padding: .75rem 1.5rem; font: inherit; color: #ffffff; background: #1d4ed8; border: 0; border-radius: .375rem; cursor: pointer; }
button:focus-visible { outline: .1875rem solid currentColor; outline-offset: .1875rem; }
@media (prefers-color-scheme: dark) {
  body { color: #ececf1; background: #17171b; }
  code { background: #26262c; }
  button { color: #10131a; background: #9db8ff; }
}`

const HEADERS = {
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  // The address holds the token.
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex',
}

export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  return reply.code(status).headers(HEADERS).type('text/html; charset=utf-8').send(htmlOf(page))
}

export function htmlOf({ title, text, form, copy }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
${copy === undefined ? '' : `<code>${escaped(copy)}</code>\n`}${form === undefined ? '' : formOf(form)}</main>
</body>
</html>
`
}

function formOf({ action, fields, button }: NonNullable<Page['form']>): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  )
  return `<form method="post" action="${escaped(action)}">${inputs.join('')}<button type="submit">${escaped(button)}</button></form>\n`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
