import type { Config } from '#libs/config'
import { isCoded } from '#libs/errors'
import { headerProblems, parseSmtpUri } from '#libs/smtp'

const KEY = 'courier.smtp.connection_uri'

/** Reads the URI of each mail server, and the headers of mails, as the courier does. @returns problems, with their keys and without any part of a URI */
export function checkTargets({ courier, postrider }: Config): string[] {
  const uris = [
    [KEY, courier.delivery_strategy === 'smtp' ? courier.smtp.connection_uri : undefined],
    ['postrider.courier.fallback.smtp.connection_uri', postrider.courier.fallback.smtp.connection_uri],
  ] as const
  return [
    ...uris.flatMap(([key, uri]) =>
      uri === undefined ? [] : problemOf(() => parseSmtpUri(uri)).map((text) => text.replace(KEY, key)),
    ),
    ...headerProblems(courier.smtp.headers),
  ]
}

function problemOf(check: () => unknown): string[] {
  try {
    check()
    return []
  } catch (error) {
    if (isCoded(error, 'SMTP_URI_INVALID')) return [error.message]
    throw error
  }
}
