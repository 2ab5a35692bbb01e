/** Hides what lets somebody in: codes, and links with a token. Pure. What is masked wrongly does no harm, what is not does. */

/** Behind the first character of what is hidden. */
export const DOTS = '•••••'

/** Keys of template data whose text is a code, a link or a secret. */
const SECRET_KEY = /(^|_)(code|codes|url|uri|link|token|secret|password|challenge|otp|pin|key)$/i
const LINK = /[a-z][a-z0-9+.-]{1,30}:\/\/[^\s"'<>]+/gi
const HOST = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#@]*)/i
/** Four digits or more, of any script, also in groups: 417203, 417 203, 4-1-7-2-0-3. */
export const DIGITS = /\p{Nd}(?:[\s.\-\u00ad\u200b-\u200d\u2060]*\p{Nd}){3,}/gu
/** Long words of letters and digits are tokens or ids. */
const WORD = /[\w+/=-]{16,}/g

/** The same for every text of its kind, so that the length tells nothing. */
export function masked(text: string): string {
  return text === '' ? '' : `${[...text][0]}${DOTS}`
}

/** Of a link only the host stays, so that one sees where it leads. */
export function maskLink(link: string): string {
  const scheme = link.slice(0, link.indexOf('://'))
  const host = (HOST.exec(link)?.[1] ?? '').replace(/[^A-Za-z0-9.:[\]-]/g, '')
  return host === '' ? masked(link) : `${scheme}://${host}/${DOTS}`
}

/** Subject or text, whatever it was made of. */
export function maskText(text: string): string {
  let shown = ''
  let end = 0
  for (const { 0: link, index } of text.matchAll(LINK)) {
    shown += maskWords(text.slice(end, index)) + maskLink(link)
    end = index + link.length
  }
  return shown + maskWords(text.slice(end))
}

function maskWords(text: string): string {
  return text
    .replace(WORD, (word) => (/\d/.test(word) && /[a-z]/i.test(word) ? masked(word) : word))
    .replace(DIGITS, masked)
}

/** Template data with every secret hidden: what is rendered from it cannot show one. */
export function maskData(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, maskValue(value, SECRET_KEY.test(key))]))
}

function maskValue(value: unknown, isSecret: boolean): unknown {
  if (typeof value === 'string') return maskString(value, isSecret)
  if (typeof value === 'number' && isSecret) return masked(String(value))
  if (Array.isArray(value)) return value.map((each) => maskValue(each, isSecret))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, maskValue(child, isSecret || SECRET_KEY.test(key))]),
  )
}

function maskString(text: string, isSecret: boolean): string {
  if (/^[a-z][a-z0-9+.-]{1,30}:\/\/\S+$/i.test(text)) return maskLink(text)
  if (isSecret) return masked(text)
  return text.replace(LINK, maskLink)
}
