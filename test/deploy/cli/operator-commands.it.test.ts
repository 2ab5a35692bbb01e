/** The commands of an operator on a whole system, as its user runs them. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { waitFor } from '../../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../../support/smtp-sink.ts'
import { openSystem, type System } from '../../support/system.ts'
import { runCli } from './run-cli.ts'

const MAIN = fileURLToPath(new URL('../../../deploy/cli/main.ts', import.meta.url))

let system: System
let sink: SmtpSink
/** Sends to `sink`, which refuses and defers by recipient. */
const SHOP = 'shop'

const environment = () => ({
  POSTRIDER_HOME: system.home,
  DATABASE_URL: system.databaseUrl,
  KAFKA_BROKERS: system.brokers,
  POSTRIDER_KAFKA_TOPIC_PREFIX: system.topicPrefix,
  POSTRIDER_KAFKA_REPLICATION: '1',
})
const postrider = (...args: string[]) => runCli(args, { env: environment() })

async function sendTo(recipient: string): Promise<string> {
  const message = { recipient, project: SHOP, template_type: 'stub', template_data: { subject: 's', body: 'b' } }
  const { status, body } = await system.request('POST', `${system.console}/admin/courier/messages`, message)
  assert.equal(status, 202)
  return body.id
}

before(async () => {
  sink = await openSmtpSink()
  system = await openSystem()
  const uri = `smtp://127.0.0.1:${sink.port}/?disable_starttls=true`
  const identity_config = {
    courier: { message_retries: 9, smtp: { connection_uri: uri, from_address: 'no-reply@shop.example.org' } },
    postrider: { courier: { retry_schedule: '10m' } },
  }
  const made = await system.request('POST', `${system.console}/projects`, { name: 'Shop', slug: SHOP, identity_config })
  assert.equal(made.status, 201)
})

after(async () => {
  await system?.[Symbol.asyncDispose]()
  await sink?.[Symbol.asyncDispose]()
})

describe('postrider send-test', () => {
  it('follows a test mail to its end: exit 0, and the mail is there', async () => {
    const { code, stdout, stderr } = await postrider('send-test', 'ada@example.org', '--format', 'json')
    assert.equal(code, 0, stderr)
    assert.equal(JSON.parse(stdout).state, 'sent')
    assert.match(stderr, /accepted as .*\n.*attempt 1 .*: sent\n.*\] sent\n$/)
    assert.equal((await system.mailTo('ada@example.org')).subject, 'A test mail from Postrider')
  })

  it('exits 1 with the reason of a refusal', async () => {
    const args = ['send-test', 'reject-550@example.org', '--project', SHOP, '--template', 'login_code_valid']
    const { code, stdout, stderr } = await postrider(...args)
    assert.equal(code, 1)
    assert.match(stdout, /^state +abandoned$/m)
    assert.match(stderr, /abandoned: .*550 5\.1\.1/)
  })

  it('exits 1 where it is not sent in time, and 0 at once where nobody waits', async () => {
    const late = await postrider('send-test', 'defer-451@example.org', '--project', SHOP, '--timeout', '3s')
    assert.equal(late.code, 1)
    assert.match(late.stderr, /still deferred: postrider messages show/)
    const accepted = await postrider('send-test', 'bob@example.org', '--no-wait')
    assert.equal(accepted.code, 0)
    assert.match(accepted.stdout, /^state +queued$/m)
  })
})

describe('postrider messages', () => {
  it('lists by any filter of the API', async () => {
    const refused = await sendTo('reject-550@filtered.example.org')
    await system.messageIn(refused, 'abandoned')
    const list = async (...args: string[]) => {
      const { code, stdout, stderr } = await postrider('messages', 'list', '--format', 'json', ...args)
      assert.equal(code, 0, stderr)
      return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id)
    }
    const domain = ['--domain', 'filtered.example.org']
    const full = ['--state', 'abandoned', '--code', '5.1.1', '--class', 'permanent_recipient', '--project', SHOP]
    assert.deepEqual(await list(...domain, ...full, '--template', 'stub', '--since', '1h'), [refused])
    assert.deepEqual(await list(...domain, '-q', '550 abandoned'), [refused])
    for (const none of [
      ['--code', '551'],
      ['--until', '1h'],
      ['--state', 'sent'],
      ['--channel', 'sms'],
    ])
      assert.deepEqual(await list(...domain, ...none), [], none.join(' '))
  })

  it('shows attempts with server, phases, reply and decision, and the conversation on request', async () => {
    const id = await sendTo('reject-550@example.org')
    await system.messageIn(id, 'abandoned')
    const { stdout } = await postrider('messages', 'show', id)
    assert.match(stdout, /^ATTEMPT 1 {2}failed /m)
    assert.match(stdout, new RegExp(`^ {2}server +127\\.0\\.0\\.1:${sink.port} no TLS`, 'm'))
    assert.match(stdout, /^ {2}phases +.*mail \d+.* ms$/m)
    assert.match(stdout, /^ {2}reply +550 5\.1\.1 to RCPT/m)
    assert.match(stdout, /^ {2}decision +\S+/m)
    assert.doesNotMatch(stdout, /conversation/)
    assert.match(
      (await postrider('messages', 'show', id, '--conversation')).stdout,
      /conversation\n {4}.*\n( {4}.*\n)* {4}.*RCPT TO/,
    )
  })

  it('cancels by id, refuses what is over, and tells each', async () => {
    const ids = [await sendTo('defer-451@ids.example.org'), await sendTo('reject-550@ids.example.org')]
    await system.messageIn(ids[0]!, 'deferred')
    await system.messageIn(ids[1]!, 'abandoned')
    const { code, stdout, stderr } = await postrider('messages', 'cancel', ...ids, '--format', 'json')
    assert.equal(code, 1)
    assert.deepEqual(
      JSON.parse(stdout).map(({ id, ok }: { id: string; ok: boolean }) => [id, ok]),
      [
        [ids[0], true],
        [ids[1], false],
      ],
    )
    assert.match(stderr, /1 done, 1 refused/)
    await system.messageIn(ids[0]!, 'cancelled')
    const resent = await postrider('messages', 'resend', ids[1]!, '--format', 'json')
    assert.equal(resent.code, 0, resent.stderr)
    const again = await system.messageIn(JSON.parse(resent.stdout)[0].new_id, 'abandoned')
    assert.equal(again.resent_from, ids[1])
  })

  it('acts by filter only after a count, and with --yes', async () => {
    const ids = await Promise.all([0, 1, 2].map((n) => sendTo(`defer-451-${n}@bulk.example.org`)))
    for (const id of ids) await system.messageIn(id, 'deferred')
    const filter = ['--domain', 'bulk.example.org', '--state', 'deferred']
    const counted = await postrider('messages', 'cancel', ...filter, '--dry-run')
    assert.deepEqual([counted.code, counted.stdout], [0, 'would cancel 3 messages\n'])
    const unasked = await postrider('messages', 'cancel', ...filter)
    assert.equal(unasked.code, 1)
    assert.match(unasked.stderr, /would cancel 3 messages: add --yes/)
    assert.equal((await system.message(ids[0]!)).state, 'deferred', 'nothing was done')
    const retried = await postrider('messages', 'retry', ...filter, '--yes', '--format', 'json')
    assert.equal(JSON.parse(retried.stdout).count, 3)
    await waitFor(async () => (await Promise.all(ids.map(system.message))).every(({ send_count }) => send_count >= 2))
    for (const id of ids) await system.messageIn(id, 'deferred')
    const done = await postrider('messages', 'cancel', ...filter, '--yes')
    assert.match(done.stdout, /^3 cancelled/)
    for (const id of ids) await system.messageIn(id, 'cancelled')
  })

  it('exits 2 where neither ids nor a filter are given, or both', async () => {
    for (const args of [['retry'], ['cancel', 'x', '--state', 'held'], ['retry', 'x', '--dry-run'], ['resend']])
      assert.equal((await postrider('messages', ...args)).code, 2, args.join(' '))
  })

  it('tails changes as lines of JSON, and ends with 0 on Ctrl-C', async () => {
    const tail = spawn(
      process.execPath,
      [MAIN, 'messages', 'tail', '--domain', 'tail.example.org', '--format', 'json'],
      {
        env: { PATH: process.env.PATH, ...environment() },
      },
    )
    let text = ''
    tail.stdout.on('data', (chunk) => {
      text += chunk
    })
    const lines = () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    let seen: { id: string; state: string } | undefined
    // Only what changes once it is connected is told.
    for (let n = 0; seen === undefined && n < 20; n++) {
      await system.messageIn(await sendTo(`grace-${n}@tail.example.org`), 'sent')
      await system.messageIn(await sendTo('eve@other.example.org'), 'sent')
      seen = lines().find(({ state }) => state === 'sent')
    }
    assert.ok(seen)
    assert.ok(lines().every(({ recipient }) => recipient.endsWith('@tail.example.org')))
    const keys = lines().map(({ id, updated_at, state }) => `${id} ${updated_at} ${state}`)
    assert.equal(new Set(keys).size, keys.length)
    const exited = once(tail, 'exit')
    tail.kill('SIGINT')
    assert.deepEqual(await exited, [0, null])
  })
})

describe('postrider trace', () => {
  it('shows the way of a message in 80 columns, without color where nobody looks', async () => {
    const id = await sendTo('reject-550@example.org')
    await system.messageIn(id, 'abandoned')
    const { code, stdout, stderr } = await postrider('trace', id)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^trace [0-9a-f]{32}\n/)
    assert.match(stdout, /^ {4}outbox and topic +relay +.*[▏▎▍▌▋▊▉█]/m)
    assert.match(stdout, /^✕ {3}attempt 1 +courier/m)
    assert.ok(stdout.split('\n').every((line) => line.length <= 80 && !line.includes('\u001b')))
    const { spans } = JSON.parse((await postrider('trace', id, '--format', 'json')).stdout)
    assert.ok(spans.some(({ error }: { error: boolean }) => error))
  })

  it('exits 1 for a message that is not there', async () => {
    assert.equal((await postrider('trace', '019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f')).code, 1)
  })
})

describe('postrider doctor', () => {
  it('is content with a system that runs', async () => {
    const { code, stdout } = await postrider('doctor')
    assert.equal(code, 0, stdout)
    for (const name of ['service.courier', 'service.projector', 'kafka.topics', 'provider.mail_from'])
      assert.match(stdout, new RegExp(`^ok +${name.replace('.', '\\.')} `, 'm'))
    assert.match(stdout, /^ok +group\.\S*courier\.urgent +1 member, \d+ records? behind$/m)
  })
})

describe('postrider demo', () => {
  it('refuses a console that is not on this machine', async () => {
    const { code, stderr } = await runCli(['demo'], { env: { POSTRIDER_URL: 'http://console.example.org' } })
    assert.equal(code, 1)
    assert.match(stderr, /console\.example\.org.*--force/)
  })

  it('brings mails to every kind of end, leaves a channel that stands still, and can be taken back', async () => {
    const { code, stdout, stderr } = await postrider('demo', '--count', '48', '--format', 'json')
    assert.equal(code, 0, stderr)
    const counts = JSON.parse(stdout)
    for (const state of ['sent', 'abandoned', 'expired', 'superseded', 'cancelled'])
      assert.ok(counts['demo-shop'][state] > 0, `${state}: ${stdout}`)
    assert.ok(counts['demo-bank'].sent > 0 && counts.default.sent > 0)
    const channels = (await system.request('GET', `${system.console}/admin/courier/channels`)).body
    const bank = channels.find(({ project }: { project: string }) => project === 'demo-bank')
    assert.equal(bank?.class, 'auth', JSON.stringify(channels))
    assert.match(
      (await postrider('doctor')).stdout,
      /^warn +channel\.demo-bank\.email +Demo Bank: .* stands still since/m,
    )

    const cleaned = await postrider('demo', '--clean', '--format', 'json')
    assert.equal(cleaned.code, 0, cleaned.stdout)
    assert.deepEqual(JSON.parse(cleaned.stdout).cleaned, ['demo-shop', 'demo-bank'])
    const config = (await system.request('GET', `${system.console}/projects/demo-bank/identity-config`)).body
    assert.equal(config.courier.smtp.connection_uri, undefined)
  })
})
