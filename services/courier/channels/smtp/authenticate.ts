/** SMTP AUTH (RFC 4954) by the mechanisms that Ory's courier has, chosen as it chooses. */
import { createHmac } from 'node:crypto'
import { type Ask, SessionRefused } from './ask.ts'

const ELIDED = '***'

/** @throws SessionRefused: refused, not offered, or no answer */
export async function authenticate(
  ask: Ask,
  offered: readonly string[],
  user: string,
  password: string,
  timeoutMs: number,
): Promise<void> {
  const challenge = (line: string, shown?: string) => ask(line, 'AUTH', timeoutMs, (code) => code === 334, shown)
  const last = (line: string, shown: string) => ask(line, 'AUTH', timeoutMs, (code) => code === 235, shown)

  if (offered.includes('CRAM-MD5')) {
    const { lines } = await challenge('AUTH CRAM-MD5')
    const digest = createHmac('md5', password)
      .update(Buffer.from(lines[0] ?? '', 'base64'))
      .digest('hex')
    await last(base64(`${user} ${digest}`), ELIDED)
  } else if (offered.includes('PLAIN')) {
    await last(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`, `AUTH PLAIN ${ELIDED}`)
  } else if (offered.includes('LOGIN')) {
    await challenge('AUTH LOGIN')
    await challenge(base64(user), ELIDED)
    await last(base64(password), ELIDED)
  } else {
    throw new SessionRefused({ kind: 'auth_not_offered', offered })
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
