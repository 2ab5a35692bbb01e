/** SMTP AUTH (RFC 4954) by the mechanisms that Ory's courier has, chosen as it chooses. */
import { createHmac } from 'node:crypto'
import { type Ask, SessionRefused } from './ask.ts'

/** RFC 5321 4.5.3.1.4, less the line end: a password in a longer line waits until it is asked for (RFC 4954 4). */
const MAX_COMMAND = 510

/** @throws SessionRefused: refused, not offered, or no answer */
export async function authenticate(
  ask: Ask,
  offered: readonly string[],
  user: string,
  password: string,
  timeoutMs: number,
): Promise<void> {
  const challenge = (line: string, secret?: string) => ask(line, 'AUTH', timeoutMs, (code) => code === 334, secret)
  const last = (line: string, secret = line) => ask(line, 'AUTH', timeoutMs, (code) => code === 235, secret)

  if (offered.includes('CRAM-MD5')) {
    const { lines } = await challenge('AUTH CRAM-MD5')
    const digest = createHmac('md5', password)
      .update(Buffer.from(lines[0] ?? '', 'base64'))
      .digest('hex')
    await last(base64(`${user} ${digest}`))
  } else if (offered.includes('PLAIN')) {
    const secret = base64(`\0${user}\0${password}`)
    const isShort = `AUTH PLAIN ${secret}`.length <= MAX_COMMAND
    if (isShort) await last(`AUTH PLAIN ${secret}`, secret)
    else {
      await challenge('AUTH PLAIN')
      await last(secret)
    }
  } else if (offered.includes('LOGIN')) {
    await challenge('AUTH LOGIN')
    await challenge(base64(user), base64(user))
    await last(base64(password))
  } else {
    throw new SessionRefused({ kind: 'auth_not_offered', offered })
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
