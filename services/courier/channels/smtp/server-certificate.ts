/** What a server's certificate says of itself, for messages: only what looks like a name or a date is repeated. */
import type { PeerCertificate } from 'node:tls'

export interface ServerCertificate {
  /** The first few host names and addresses that it is good for. */
  readonly names: readonly string[]
  /** Set where that day is over, as `2026-01-31`. */
  readonly expiredOn?: string
  /** Set where that day is still to come. */
  readonly validFrom?: string
}

const MAX_NAMES = 3
const NAME = /^(?:DNS|IP Address):([A-Za-z0-9*._:-]{1,253})$/
const COMMON_NAME = /^[A-Za-z0-9*._-]{1,253}$/

export function serverCertificate(certificate: PeerCertificate, nowMs = Date.now()): ServerCertificate {
  const [from, to] = [new Date(certificate.valid_from), new Date(certificate.valid_to)]
  return {
    names: namesOf(certificate).slice(0, MAX_NAMES),
    ...(to.getTime() < nowMs && { expiredOn: day(to) }),
    ...(from.getTime() > nowMs && { validFrom: day(from) }),
  }
}

/** The common name counts only where there is nothing else (RFC 6125 6.4.4). */
function namesOf({ subjectaltname, subject }: PeerCertificate): string[] {
  const names = (subjectaltname ?? '').split(', ').flatMap((entry) => NAME.exec(entry)?.[1] ?? [])
  return names.length > 0 ? names : [subject?.CN ?? []].flat().filter((name) => COMMON_NAME.test(name))
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}
