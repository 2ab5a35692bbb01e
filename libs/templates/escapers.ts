/** Go's html/template escapers, as its escaped parse tree names them (there with the prefix `_html_template_`). */

export type EscaperName = 'htmlescaper' | 'attrescaper' | 'rcdataescaper' | 'urlfilter' | 'urlnormalizer' | 'urlescaper'

/** What Go prints in place of a URL whose scheme could run code. */
const UNSAFE_URL = '#ZgotmplZ'

const HTML_SPECIALS: Readonly<Record<string, string>> = {
  '\0': '\uFFFD',
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '+': '&#43;',
  '<': '&lt;',
  '>': '&gt;',
}
const HTML_SPECIAL = /[\0"&'+<>]/g

/** Bytes that a normalised URL keeps; a percent sign is kept where two hex digits follow. */
const URL_NORMAL = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!#$&*+,/:;=?@[\]%]/gu
const URL_UNRESERVED = /[^A-Za-z0-9\-._~]/gu

export const ESCAPERS: Readonly<Record<EscaperName, (text: string) => string>> = {
  htmlescaper: escapeHtml,
  attrescaper: escapeHtml,
  rcdataescaper: escapeHtml,
  urlfilter: (url) => (isSafeUrl(url) ? url : UNSAFE_URL),
  urlnormalizer: (url) => url.replace(URL_NORMAL, percentEncoded),
  urlescaper: (url) => url.replace(URL_UNRESERVED, percentEncoded),
}

function escapeHtml(text: string): string {
  return text.replace(HTML_SPECIAL, (special) => HTML_SPECIALS[special] ?? special)
}

/** A relative URL, or one of a scheme that only opens a page or a mail. */
function isSafeUrl(url: string): boolean {
  const colon = url.indexOf(':')
  const scheme = url.slice(0, Math.max(colon, 0))
  return colon < 0 || scheme.includes('/') || /^(https?|mailto)$/i.test(scheme)
}

/** Every UTF-8 byte of one character, in lower-case hex as Go writes it. */
function percentEncoded(character: string): string {
  return Buffer.from(character).toString('hex').replace(/../g, '%$&')
}
