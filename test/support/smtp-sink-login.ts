/** The server's side of AUTH. */
import { createHmac } from 'node:crypto'

export interface SinkAuth {
  readonly user: string
  readonly password: string
  readonly mechanisms: readonly string[]
  /** Offered and taken only once TLS stands. */
  readonly needsTls?: boolean
  readonly welcome?: string
  readonly refusal?: string
}

export interface LoginStep {
  readonly answer: string
  /** Takes the client's next line; without it the login is over. */
  readonly next?: (line: string) => LoginStep
  readonly isLoggedIn?: boolean
}

const CHALLENGE = '<1896.697170952@sink>'

/** @param line what follows AUTH */
export function beginLogin(auth: SinkAuth, line: string): LoginStep {
  const { user, password } = auth
  const verdict = (isLoggedIn: boolean): LoginStep => ({
    isLoggedIn,
    answer: isLoggedIn ? (auth.welcome ?? '235 2.7.0 Welcome') : (auth.refusal ?? '535 5.7.8 Wrong'),
  })
  const plain = (secret: string): LoginStep => verdict(decode(secret) === `\0${user}\0${password}`)
  const [mechanism = '', initial] = line.split(' ')
  if (!auth.mechanisms.includes(mechanism)) return { answer: '504 5.5.4 Not that way', isLoggedIn: false }
  switch (mechanism) {
    case 'PLAIN':
      return initial === undefined ? { answer: '334 ', next: plain } : plain(initial)
    case 'LOGIN':
      return challenge('Username:', (name) =>
        challenge('Password:', (secret) => verdict(decode(name) === user && decode(secret) === password)),
      )
    default:
      return challenge(CHALLENGE, (answer) =>
        verdict(decode(answer) === `${user} ${createHmac('md5', password).update(CHALLENGE).digest('hex')}`),
      )
  }
}

function challenge(text: string, next: (line: string) => LoginStep): LoginStep {
  return { answer: `334 ${Buffer.from(text).toString('base64')}`, next }
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString()
}
