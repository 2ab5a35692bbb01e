/** Where mail would go, checked as far as can be told without asking: what a pattern of the schema cannot say. */
import type { Config } from '../schema.ts'

const MAIL = /^smtps?:\/\/(?:([^/?#]*)@)?([^/?#@]*)\/?(?:\?[^#@]*)?$/i
const USERINFO = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+$/
const HOST_PORT = /^(?:\[[0-9A-Fa-f:.]+\]|[\p{L}\p{N}_][\p{L}\p{N}._-]*)(?::(\d+))?$/u
const MAIL_ALLOWED =
  'found a URI that does not name a server, allowed smtp://user:password@host:port/ with special characters of user and ' +
  'password percent-encoded, such as @ as %40 and / as %2F'

/** @returns `key: problem` for each; never with a part of the URI, since any may belong to a password */
export function targetProblems({ courier, postrider }: Config): string[] {
  const mail: [string, string | undefined][] = [
    ['courier.smtp.connection_uri', courier.smtp.connection_uri],
    ['postrider.courier.fallback.smtp.connection_uri', postrider.courier.fallback.smtp.connection_uri],
  ]
  const web: [string, string | undefined][] = [
    ['courier.http.request_config.url', courier.http.request_config?.url],
    ...courier.channels.map(({ request_config }, index): [string, string | undefined] => [
      `courier.channels.${index}.request_config.url`,
      request_config.url,
    ]),
  ]
  return [
    ...mail.filter(([, uri]) => uri !== undefined && !isMail(uri)).map(([key]) => `${key}: ${MAIL_ALLOWED}`),
    ...web
      .filter(([, url]) => url !== undefined && !URL.canParse(url))
      .map(([key]) => `${key}: found a URL without a valid host, allowed an http:// or https:// URL`),
  ]
}

function isMail(uri: string): boolean {
  const [, userinfo, authority] = MAIL.exec(uri) ?? []
  const [host, port] = HOST_PORT.exec(authority ?? '') ?? []
  if (host === undefined || (userinfo !== undefined && !USERINFO.test(userinfo))) return false
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)
}
