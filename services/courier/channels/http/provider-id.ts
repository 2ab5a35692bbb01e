/** The name under which a provider knows an accepted message: the way from our record into its log. */
import type { IncomingHttpHeaders } from 'node:http'

/** As mail and SMS providers call it. */
const FIELDS = ['id', 'messageId', 'MessageID', 'message_id', 'sid'] as const
const ID = /^<?([\x21-\x3b=\x3f-\x7e]{1,255})>?$/

/** undefined where the answer names none, or repeats the recipient. */
export function providerIdOf(headers: IncomingHttpHeaders, body: Buffer, recipient: string): string | undefined {
  const found = [...fieldsOf(body), headers['x-message-id']]
  for (const value of found) {
    const id = typeof value === 'string' || typeof value === 'number' ? ID.exec(String(value))?.[1] : undefined
    if (id !== undefined && !id.toLowerCase().includes(recipient.toLowerCase())) return id
  }
  return undefined
}

function fieldsOf(body: Buffer): unknown[] {
  if (body[0] !== 0x7b) return [] // {
  try {
    const answer = JSON.parse(body.toString()) as Record<string, unknown>
    return FIELDS.map((field) => answer[field])
  } catch {
    return [] // not JSON after all, or cut off
  }
}
