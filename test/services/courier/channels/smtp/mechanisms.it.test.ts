/**
 * The six mechanisms of Ory's guide, as it writes them, against every kind of server, each by a real handshake. What comes of it is
 * compared with `mechanisms.md`, which the README shows.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { treatmentOf } from '#libs/delivery'
import type { AttemptResult } from '../../../../../services/courier/channels/channel.ts'
import { openSmtpSink, type SmtpSink } from '../../../../support/smtp-sink.ts'
import { MECHANISMS, type Mechanism, SERVERS, type Server, TRUSTED } from './mechanisms.ts'
import { namesAt } from './names-at.ts'
import { openChannel, outgoingMail, sendBy } from './smtp-fixture.ts'

const execute = promisify(execFile)
const SEND_ONE = fileURLToPath(new URL('./send-one.ts', import.meta.url))
const TABLE = new URL('./mechanisms.md', import.meta.url)

interface Cell {
  readonly attempt: AttemptResult
  readonly sink: SmtpSink
}

describe('the six mechanisms of the guide', () => {
  const cells = new Map<string, Cell>()
  before(async () => {
    for (const server of SERVERS) {
      for (const mechanism of MECHANISMS) cells.set(keyOf(server, mechanism), await meet(server, mechanism))
    }
  })

  for (const server of SERVERS) {
    describe(`meeting ${server.name}`, () => {
      for (const mechanism of MECHANISMS) {
        const isAccepted = server.acceptedBy.includes(mechanism.number)
        it(`${isAccepted ? 'sends' : 'refuses, and says why,'} by ${mechanism.uri}`, () => {
          const cell = cells.get(keyOf(server, mechanism))!
          if (isAccepted) assertSent(cell, mechanism)
          else assertRefused(cell, server, mechanism)
        })
      }
    })
  }

  it('come out as the table says', () => {
    const table = tableOf(cells)
    const expected = readFileSync(TABLE, 'utf8')
    assert.equal(table, expected, `mechanisms.md differs from what happened, which is:\n\n${table}`)
  })
})

describe('the server of TLS 1.0', () => {
  const { script } = SERVERS.find(({ name }) => name === 'TLS 1.0 only')!
  let sink: SmtpSink
  before(async () => {
    sink = await openSmtpSink(script(MECHANISMS[3]!))
  })
  after(() => sink[Symbol.asyncDispose]())

  it('works for those who speak it, so that its refusal is ours', async () => {
    const options = {
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
      servername: 'server',
      ca: TRUSTED.cert,
    } as const
    const socket = connect({ host: '127.0.0.1', port: sink.port, ...options })
    const greeting = await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject))
    assert.equal(socket.getProtocol(), 'TLSv1')
    assert.match(String(greeting), /^220 /)
    socket.destroy()
  })

  it('is refused also by a Node that is told to speak it', async () => {
    const flags = ['--tls-min-v1.0', '--tls-cipher-list=DEFAULT@SECLEVEL=0']
    const uri = `smtps://username:password@127.0.0.1:${sink.port}/?skip_ssl_verify=true`
    const { stdout } = await execute(process.execPath, [...flags, SEND_ONE, uri])
    assert.match(stdout, /speaks no TLS of version 1\.2 or later/)
    assert.equal(sink.mails.length, 0)
  })
})

function keyOf(server: Server, { number }: Mechanism): string {
  return `${server.name} ${number}`
}

async function meet(server: Server, mechanism: Mechanism): Promise<Cell> {
  const sink = await openSmtpSink(server.script(mechanism))
  const channel = openChannel(mechanism.uri.replace(/:(port|1234)\//, `:${sink.port}/`), {
    tls: { ca: TRUSTED.cert },
    guard: namesAt('127.0.0.1'),
    // Some servers wait for us to begin, as we wait for them.
    ...(server.isSilent?.(mechanism) && { timeouts: { greetingMs: 50 } }),
  })
  const attempt = await sendBy(channel, outgoingMail('ada@example.org'))
  await channel.close()
  await sink[Symbol.asyncDispose]()
  return { attempt, sink }
}

function assertSent({ attempt, sink }: Cell, { number }: Mechanism): void {
  const isCleartext = number === 3
  assert.equal(attempt.outcome, 'accepted', attempt.failure?.message)
  assert.equal(sink.mails.length, 1)
  assert.equal(sink.mails[0]?.isSecure, !isCleartext)
  assert.equal(attempt.peer?.tls, isCleartext ? undefined : 'TLSv1.3')
  assert.ok(sink.lines.some((line) => line.includes('AUTH PLAIN')))
  assert.equal(
    sink.lines.some((line) => line.includes('STARTTLS')),
    number <= 2,
  )
}

function assertRefused({ attempt, sink }: Cell, server: Server, { number }: Mechanism): void {
  const { outcome, failure } = attempt
  assert.equal(outcome, 'failed')
  assert.match(failure!.message, server.says[number <= 3 ? 'smtp' : 'smtps']!)
  assert.deepEqual(treatmentOf(failure!.class), { permanent: false, charged: false, leastDelayMs: 0 })
  assert.ok(!sink.lines.some((line) => /AUTH|MAIL|secret/.test(line)), 'neither the login nor the mail were given away')
}

function tableOf(cells: Map<string, Cell>): string {
  const reasons: string[] = []
  const numberOf = (reason: string): number => {
    if (!reasons.includes(reason)) reasons.push(reason)
    return reasons.indexOf(reason) + 1
  }
  const rows = SERVERS.map((server) => {
    const outcomes = MECHANISMS.map((mechanism) => {
      const { attempt } = cells.get(keyOf(server, mechanism))!
      if (attempt.outcome === 'accepted') return attempt.peer?.tls === undefined ? 'in clear' : 'TLS'
      return `no (${numberOf(attempt.failure!.message.replace(/^\S+/, 'server'))})`
    })
    return `| ${[server.name, ...outcomes].join(' | ')} |`
  })
  return [
    '| | mechanism | URI |',
    '| --- | --- | --- |',
    ...MECHANISMS.map(({ number, name, uri }) => `| ${number} | ${name} | \`${uri}\` |`),
    '',
    `| the server has | ${MECHANISMS.map(({ number }) => number).join(' | ')} |`,
    `| --- |${' --- |'.repeat(MECHANISMS.length)}`,
    ...rows,
    '',
    'Where the answer is no, neither the login nor the mail leaves, the message waits without losing a try, and the error says:',
    '',
    ...reasons.map((reason, index) => `${index + 1}. ${reason}`),
    '',
  ].join('\n')
}
