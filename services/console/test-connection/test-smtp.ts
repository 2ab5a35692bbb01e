/** A mail server step by step, up to the sender: no recipient is named and no mail is sent. */
import { createHmac } from 'node:crypto'
import type { AddressGuard } from '#libs/resources'
import { type Capabilities, capabilitiesOf, NO_CAPABILITIES, type SmtpReply, type SmtpTarget } from '#libs/smtp'
import { explainConnection, reach, secure } from './reach.ts'
import { type Dialogue, openDialogue } from './smtp-dialogue.ts'
import { openSteps, type Step, StepFailed, type Steps } from './steps.ts'

export interface SmtpTest {
  readonly target: SmtpTarget
  /** What EHLO calls this host. */
  readonly localName: string
  readonly fromAddress: string
  readonly guard: AddressGuard
  readonly clientCertificate?: { readonly cert: Buffer; readonly key: Buffer } | undefined
}

const URI = 'courier.smtp.connection_uri'

/** Never rejects for what the server does. The details hold what it offers and its reply codes, never a credential. */
export async function testSmtp(test: SmtpTest): Promise<readonly Step[]> {
  const { target, guard } = test
  const place = `${target.host}:${target.port}`
  const steps = openSteps(explainConnection(place))
  const tls = { name: target.serverName ?? target.host, verify: target.verify, ...test.clientCertificate }
  let socket = await reach(target, guard, steps)
  if (target.security === 'tls') socket = await steps.take('tls', () => secure(socket!, tls))
  const dialogue = socket && openDialogue(socket)
  try {
    await steps.take('greeting', async () => {
      const reply = await dialogue!.ask(undefined)
      return expect(
        reply,
        [220],
        'The server refuses the session',
        'Check its access rules: does it let this machine in?',
      )
    })
    let offered = await sayHello('ehlo', dialogue, test, steps)
    if (target.security === 'starttls') {
      offered = await steps.take('starttls', async () => {
        if (offered?.starttls !== true) throw new StepFailed('The server does not offer STARTTLS.', NO_STARTTLS)
        expect(await dialogue!.ask('STARTTLS'), [220], 'The server refuses STARTTLS', NO_STARTTLS)
        const [secured, detail] = await secure(dialogue!.detach(), tls)
        dialogue!.attach(secured)
        return [await hello(dialogue!, test), detail] as const
      })
    }
    await logIn(offered, dialogue, test, steps)
    await steps.take('mail_from', async () => {
      const reply = await dialogue!.ask(`MAIL FROM:<${test.fromAddress}>`)
      return expect(
        reply,
        [250],
        'The server refuses the sender',
        `Check courier.smtp.from_address: may ${target.user === undefined ? 'this machine' : 'this user'} send as it?`,
      )
    })
  } finally {
    dialogue?.end()
    socket?.unref()
    setTimeout(() => socket?.destroy(), CLOSE_MS).unref()
  }
  return steps.list()
}

const CLOSE_MS = 1_000
const NO_STARTTLS = `Use smtps:// with the port of TLS from the start (465), or ?disable_starttls=true to send in clear, in ${URI}.`

function sayHello(
  step: 'ehlo',
  dialogue: Dialogue | undefined,
  test: SmtpTest,
  steps: Steps,
): Promise<Capabilities | undefined> {
  return steps.take(step, async () => {
    const offered = await hello(dialogue!, test)
    const names = [
      ...(offered.starttls ? ['STARTTLS'] : []),
      ...(offered.mechanisms.length > 0 ? [`AUTH ${offered.mechanisms.join(' ')}`] : []),
      ...(offered.pipelining ? ['PIPELINING'] : []),
      ...(offered.smtputf8 ? ['SMTPUTF8'] : []),
      ...(offered.sizeLimit === undefined ? [] : [`SIZE ${offered.sizeLimit}`]),
    ]
    return [offered, names.length === 0 ? 'Offers nothing beyond the basics.' : `Offers ${names.join(', ')}.`] as const
  })
}

/** Old servers know HELO only. */
async function hello(dialogue: Dialogue, { localName }: SmtpTest): Promise<Capabilities> {
  const reply = await dialogue.ask(`EHLO ${localName}`)
  if (reply.code === 250) return capabilitiesOf(reply.lines.slice(1))
  expect(
    await dialogue.ask(`HELO ${localName}`),
    [250],
    'The server refuses EHLO and HELO',
    'Check courier.smtp.local_name.',
  )
  return NO_CAPABILITIES
}

async function logIn(
  offered: Capabilities | undefined,
  dialogue: Dialogue | undefined,
  test: SmtpTest,
  steps: Steps,
): Promise<void> {
  const { user, password = '' } = test.target
  if (user === undefined) return steps.skip('auth', `Not tried: ${URI} has no user.`)
  await steps.take('auth', async () => {
    const mechanism = ['CRAM-MD5', 'PLAIN', 'LOGIN'].find((each) => offered?.mechanisms.includes(each))
    if (mechanism === undefined)
      throw new StepFailed(
        'The server offers no login that is known here (CRAM-MD5, PLAIN, LOGIN).',
        `Take user and password out of ${URI}, or use the port that takes submissions (587, or 465 with smtps://).`,
      )
    const reply = await authenticate(dialogue!, mechanism, user, password)
    return expect(
      reply,
      [235],
      'The server refuses the login',
      `Check user and password in ${URI}, with special characters percent-encoded.`,
      mechanism,
    )
  })
}

/** @returns the last reply */
async function authenticate({ ask }: Dialogue, mechanism: string, user: string, password: string): Promise<SmtpReply> {
  if (mechanism === 'PLAIN') {
    const reply = await ask('AUTH PLAIN')
    return reply.code === 334 ? ask(base64(`\0${user}\0${password}`)) : reply
  }
  const first = await ask(`AUTH ${mechanism}`)
  if (first.code !== 334) return first
  if (mechanism === 'LOGIN') {
    const second = await ask(base64(user))
    return second.code === 334 ? ask(base64(password)) : second
  }
  const challenge = Buffer.from(first.lines[0] ?? '', 'base64')
  return ask(base64(`${user} ${createHmac('md5', password).update(challenge).digest('hex')}`))
}

/** Codes only: the text of a reply may repeat what it was asked. @throws StepFailed */
function expect(reply: SmtpReply, codes: readonly number[], refusal: string, remedy: string, found?: string) {
  const told = reply.enhanced === undefined ? `${reply.code}` : `${reply.code} ${reply.enhanced}`
  if (!codes.includes(reply.code)) throw new StepFailed(`${refusal} with ${told}.`, remedy)
  return [undefined, found === undefined ? `Answered ${told}.` : `${found}, answered ${told}.`] as const
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
