/** The dev mailbox's memory: the newest mails as they came, found by recipient, taken apart only when someone reads them. */
import { simpleParser } from 'mailparser'

export interface StoredMail {
  readonly id: string
  /** Envelope sender and recipients, as the client gave them. */
  readonly from: string
  readonly to: readonly string[]
  readonly raw: Buffer
  readonly receivedAt: Date
}

/** A mail as the API shows it. */
export interface MailView {
  readonly id: string
  readonly from: string
  /** Envelope recipients, joined by a comma. */
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string | null
  /** Lower-case name to every value in its order, unfolded, else as on the wire. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly received_at: string
}

export interface MailboxStore {
  add(mail: Omit<StoredMail, 'id'>): void
  get(id: string): StoredMail | undefined
  /** Newest first; `to` compares the whole address without regard to case. */
  list(options: { to?: string; limit: number }): StoredMail[]
  /** Whether there was one. */
  remove(id: string): boolean
  clear(): void
  count(to?: string): number
}

/** Keeps the last `capacity` mails. */
export function createMailboxStore(capacity: number): MailboxStore {
  // Both keep the order of arrival: a Map iterates in the order of insertion, so its first entry is the oldest.
  const mails = new Map<string, StoredMail>()
  const byRecipient = new Map<string, Map<string, StoredMail>>()
  let lastId = 0

  const remove = (id: string): boolean => {
    const mail = mails.get(id)
    if (mail === undefined) return false
    mails.delete(id)
    for (const address of mail.to) dropFromIndex(byRecipient, address.toLowerCase(), id)
    return true
  }
  const chosen = (to?: string): Map<string, StoredMail> =>
    to === undefined ? mails : (byRecipient.get(to.toLowerCase()) ?? new Map())

  return {
    add(received) {
      lastId += 1
      const mail = { ...received, id: String(lastId) }
      mails.set(mail.id, mail)
      for (const address of mail.to) {
        const key = address.toLowerCase()
        const own = byRecipient.get(key)
        if (own === undefined) byRecipient.set(key, new Map([[mail.id, mail]]))
        else own.set(mail.id, mail)
      }
      const [oldest] = mails.keys()
      if (mails.size > capacity && oldest !== undefined) remove(oldest)
    },
    get: (id) => mails.get(id),
    list: ({ to, limit }) => [...chosen(to).values()].slice(-limit).reverse(),
    remove,
    clear() {
      mails.clear()
      byRecipient.clear()
    },
    count: (to) => chosen(to).size,
  }
}

/** Takes a mail apart. */
export async function viewMail(mail: StoredMail): Promise<MailView> {
  const parsed = await simpleParser(mail.raw, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true })
  const headers: Record<string, string[]> = {}
  for (const { key, line } of parsed.headerLines) {
    const value = line.slice(line.indexOf(':') + 1).replace(/\r?\n(?=[ \t])/g, '')
    headers[key] = [...(headers[key] ?? []), value.trim()]
  }
  return {
    id: mail.id,
    from: mail.from,
    to: mail.to.join(', '),
    subject: parsed.subject ?? '',
    text: parsed.text ?? '',
    html: typeof parsed.html === 'string' ? parsed.html : null,
    headers,
    received_at: mail.receivedAt.toISOString(),
  }
}

function dropFromIndex(index: Map<string, Map<string, StoredMail>>, address: string, id: string): void {
  const own = index.get(address)
  own?.delete(id)
  if (own?.size === 0) index.delete(address)
}
