import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import pino from 'pino'
import { type Config, parseConfig } from '#libs/config'
import { type Engine, openEngine } from '#libs/engine'
import { DEFAULT_PROJECT_ID, type MessageRecord } from '#libs/messages'
import type { SharedRate } from '../../../services/courier/admission/shared-rate.ts'
import type { AttemptResult } from '../../../services/courier/channels/channel.ts'
import { openPrepareMail } from '../../../services/courier/prepare-mail.ts'
import { openProjectChannels } from '../../../services/courier/project-channels.ts'
import { openHttpSink } from '../../support/http-sink.ts'
import { waitFor } from '../../support/servers.ts'
import { openSmtpSink } from '../../support/smtp-sink.ts'
import { deliveryOf, newId, recordOf, sealer } from './deliveries.ts'

const A = '00000000-0000-7000-8000-00000000000a'
const B = '00000000-0000-7000-8000-00000000000b'
const STRANGER = '00000000-0000-7000-8000-0000000000ff'
const FROM = 'mail@operator.example'

// biome-ignore lint/suspicious/noExplicitAny: written as a user's file would be
type Given = any

const smtpAt = (port: number, more: Given = {}) => ({
  courier: { smtp: { connection_uri: `smtp://127.0.0.1:${port}/?disable_starttls=true`, from_address: FROM, ...more } },
})
const httpAt = (url: string, more: Given = {}) => ({
  courier: { delivery_strategy: 'http', http: { request_config: { url, ...more } } },
})
const base64 = (text: string): string => `base64://${Buffer.from(text).toString('base64')}`

describe('openProjectChannels', () => {
  let engine: Engine
  before(() => {
    engine = openEngine()
  })
  after(() => engine[Symbol.asyncDispose]())

  function open(t: TestContext, root: Given) {
    const lines: Record<string, unknown>[] = []
    const log = pino({ level: 'info', base: {} }, { write: (line: string) => void lines.push(JSON.parse(line)) })
    const rates: [key: string, perSecond: number][] = []
    const rateOf = (key: string, perSecond: number): SharedRate => {
      rates.push([key, perSecond])
      const nothing = () => undefined
      return { allowance: (wanted) => wanted, started: nothing, onTokens: nothing, close: async () => undefined }
    }
    const channels = openProjectChannels(parseConfig(root), { engine, rateOf }, log)
    t.after(() => channels.close())
    const prepare = openPrepareMail(sealer, channels.templatesOf, channels.senderOf)
    let number = 0
    const follow = (projectId: string, settings: Given, name = 'Shop') =>
      channels.follow([{ projectId, number: ++number, name, settings: parseConfig(settings) as Config }])
    const rename = (projectId: string, settings: Given, name: string) =>
      channels.follow([{ projectId, number, name, settings: parseConfig(settings) as Config }])
    const select = (project_id: string, more: Partial<MessageRecord> = {}) =>
      channels.select(recordOf({ project_id, ...more }))
    /** Sends one mail of a project the way it goes now. */
    const send = async (project_id: string): Promise<AttemptResult> => {
      const id = newId()
      const content = { recipient: 'ada@example.org', template_data: { to: 'ada@example.org', login_code: '731904' } }
      const delivery = deliveryOf({ id, project_id, sealed: sealer.seal(project_id, id, content) })
      const prepared = await prepare(delivery, Date.now() + 60_000)
      assert.ok('mail' in prepared)
      return new Promise((resolve) => channels.select(delivery.record)!.port.send(prepared.mail, resolve))
    }
    const said = (words: RegExp) => lines.filter((line) => words.test(JSON.stringify(line)))
    return { channels, rates, follow, rename, select, send, said }
  }

  describe('for the operator', () => {
    it('keeps connections where the revision says what file and environment said', async (t) => {
      await using sink = await openSmtpSink()
      const { follow, select, send, channels } = open(t, smtpAt(sink.port))
      let changes = 0
      channels.onChange(() => {
        changes += 1
      })
      const before = select(DEFAULT_PROJECT_ID)
      assert.equal((await send(DEFAULT_PROJECT_ID)).outcome, 'accepted')
      const { smtp } = smtpAt(sink.port).courier
      // The same in another order, and more that is no matter of channels.
      follow(DEFAULT_PROJECT_ID, {
        courier: { message_retries: 1, smtp: Object.fromEntries(Object.entries(smtp).reverse()) },
        selfservice: {},
      })
      assert.equal(select(DEFAULT_PROJECT_ID)?.port, before?.port)
      assert.deepEqual([(await send(DEFAULT_PROJECT_ID)).outcome, sink.connections(), changes], ['accepted', 1, 0])
      assert.equal(channels.policyOf(recordOf()).maxAttempts, 2)
    })

    it('takes over target, limits and policies of a revision, for everyone without their own', async (t) => {
      await using first = await openSmtpSink()
      await using second = await openSmtpSink()
      const { follow, select, send, channels, rates } = open(t, smtpAt(first.port))
      follow(B, {})
      await send(B)
      const old = select(B)
      let changes = 0
      channels.onChange(() => {
        changes += 1
      })
      const limits = { rate: '7/1s', concurrency: 3, retry_schedule: '1m, 2m', on_unknown: { stub: 'hold' } }
      follow(DEFAULT_PROJECT_ID, { ...smtpAt(second.port), postrider: { courier: limits } })
      assert.deepEqual([changes, old?.port.free, select(B)?.port.free], [1, 0, 3])
      await send(B)
      await send(DEFAULT_PROJECT_ID)
      await send(STRANGER)
      assert.deepEqual([first.accepted(), second.accepted()], [1, 3])
      assert.deepEqual(rates, [['operator/email/127.0.0.1', 7]])
      assert.deepEqual(channels.policyOf(recordOf({ project_id: STRANGER })).scheduleMs, [60_000, 120_000])
      assert.equal(channels.policyOf(recordOf({ template_type: 'stub' })).onUnknown, 'hold')
    })

    it('stays with the last good one where a revision cannot be used, and says so once', async (t) => {
      await using sink = await openSmtpSink()
      const { follow, select, send, said } = open(t, smtpAt(sink.port))
      const before = select(DEFAULT_PROJECT_ID)
      follow(DEFAULT_PROJECT_ID, {})
      follow(DEFAULT_PROJECT_ID, { courier: { smtp: { connection_uri: 'smtps://mx.example.org/a/path' } } })
      assert.equal(said(/left out/).length, 2)
      assert.equal(select(DEFAULT_PROJECT_ID)?.port, before?.port)
      assert.equal((await send(DEFAULT_PROJECT_ID)).outcome, 'accepted')
    })

    it('is never named after a project', async (t) => {
      await using sink = await openSmtpSink()
      const { follow, send } = open(t, smtpAt(sink.port, { from_name: 'The Operator' }))
      follow(DEFAULT_PROJECT_ID, smtpAt(sink.port, { from_name: 'The Operator' }), 'Postrider')
      await send(DEFAULT_PROJECT_ID)
      await send(STRANGER)
      for (const { raw } of sink.mails) assert.match(raw, /^From: "The Operator" <mail@operator\.example>\r$/m)
    })
  })

  describe('for a project without a target', () => {
    it('sends through the operator in the name of the project, whose own sender is ignored with one warning', async (t) => {
      await using sink = await openSmtpSink()
      const { follow, rename, send, said } = open(t, smtpAt(sink.port, { from_name: 'The Operator' }))
      const settings = { courier: { smtp: { from_address: 'me@tenant.example', from_name: 'Me' } } }
      follow(B, settings, 'B "Bücher"\r\nBcc: eve@example.net')
      await send(B)
      await send(B)
      for (const { raw, from } of sink.mails) {
        const [, encoded = '', address] =
          /^From: =\?UTF-8\?Q\?(\S+)\?=\r\n =\?UTF-8\?Q\?\S+\?= <(.*)>\r$/m.exec(raw) ?? []
        assert.match(encoded, /^B_=22B=C3=BCcher=22_Bcc/)
        assert.deepEqual([address, from], [FROM, FROM])
        assert.doesNotMatch(raw, /^Bcc/im)
      }
      assert.equal(said(/from_address and from_name are ignored/).length, 1)
      rename(B, settings, 'Plain')
      await send(B)
      assert.match(sink.mails[2]!.raw, /^From: "Plain via Postrider" <mail@operator\.example>\r$/m)
      assert.equal(said(/from_address and from_name are ignored/).length, 1)
    })

    it('has its own policies, templates and text-message provider all the same', async (t) => {
      await using sink = await openSmtpSink()
      await using sms = await openHttpSink()
      const { follow, select, send, channels } = open(t, smtpAt(sink.port))
      const templates = { login_code: { valid: { email: { subject: base64('Own {{ .LoginCode }}') } } } }
      const channel = { id: 'sms', request_config: { url: `${sms.origin}/sms` } }
      follow(B, {
        courier: { templates, message_retries: 0, channels: [channel] },
        postrider: { courier: { on_unknown: { login_code_valid: 'hold' } } },
      })
      assert.equal(select(B)?.key, 'email')
      assert.equal(select(B, { channel: 'sms' })?.key, `${B}/sms`)
      assert.equal(select(STRANGER, { channel: 'sms' }), undefined)
      await send(B)
      assert.match(sink.mails[0]!.raw, /^Subject: Own 731904\r$/m)
      const { maxAttempts, onUnknown } = channels.policyOf(recordOf({ project_id: B }))
      assert.deepEqual([maxAttempts, onUnknown], [1, 'hold'])
      assert.deepEqual(channels.policyOf(recordOf()).maxAttempts, 6)
    })
  })

  describe('for a project with a target', () => {
    it('sends through that, from its own address, within its own limits', async (t) => {
      await using shared = await openSmtpSink()
      await using own = await openSmtpSink()
      const { follow, select, send, said, rates } = open(t, smtpAt(shared.port))
      const sender = { from_address: 'me@tenant.example', from_name: 'Me' }
      follow(A, { ...smtpAt(own.port, sender), postrider: { courier: { concurrency: 2, rate: '5/1s' } } })
      await send(A)
      assert.match(own.mails[0]!.raw, /^From: "Me" <me@tenant\.example>\r$/m)
      assert.deepEqual([shared.accepted(), select(A)?.port.free, select(B)?.port.free], [0, 2, 20])
      assert.deepEqual(rates, [[`${A}/email/127.0.0.1`, 5]])
      assert.deepEqual(said(/ignored/), [])
    })

    it('goes over from one target to another, and back to the operator', async (t) => {
      await using shared = await openSmtpSink()
      await using own = await openSmtpSink()
      await using http = await openHttpSink()
      const { follow, select, send } = open(t, smtpAt(shared.port))
      follow(A, smtpAt(own.port))
      await send(A)
      const old = select(A)
      follow(A, httpAt(http.origin))
      await send(A)
      assert.deepEqual([old?.port.free, own.accepted(), http.requests.length], [0, 1, 1])
      follow(A, {})
      await send(A)
      assert.deepEqual([own.accepted(), http.requests.length, shared.accepted()], [1, 1, 1])
    })

    it('lets what is under way end where a revision replaces its channel', async (t) => {
      await using shared = await openSmtpSink()
      await using slow = await openSmtpSink({ answer: (command) => (command === 'DOT' ? '' : undefined) })
      const { follow, send } = open(t, smtpAt(shared.port))
      follow(A, smtpAt(slow.port))
      const sending = send(A)
      await waitFor(() => slow.lines.some((line) => line.includes('DATA')))
      follow(A, smtpAt(shared.port))
      assert.equal((await send(A)).outcome, 'accepted')
      slow.sayToAll('250 2.0.0 Ok: at last')
      assert.equal((await sending).outcome, 'accepted')
      await waitFor(() => slow.openConnections() === 0, { message: 'the old connection stays' })
      assert.equal(shared.accepted(), 1)
    })

    it('keeps its channel through a revision that changes something else, but begins anew where it is blocked', async (t) => {
      await using shared = await openSmtpSink()
      const closed = await openSmtpSink({
        answer: (command) => (command === 'MAIL' ? '530 5.7.0 log in first' : undefined),
      })
      const { follow, select, send } = open(t, smtpAt(shared.port))
      follow(A, smtpAt(closed.port))
      const first = select(A)
      follow(A, { ...smtpAt(closed.port), selfservice: {} })
      assert.equal(select(A)?.port, first?.port)
      assert.equal((await send(A)).failure?.class, 'auth')
      assert.ok(select(A)?.blockage() !== undefined)
      follow(A, smtpAt(closed.port))
      assert.notEqual(select(A)?.port, first?.port)
      assert.equal(select(A)?.blockage(), undefined)
      await closed[Symbol.asyncDispose]()
    })

    it('goes on with the last good one, and leaves the others alone, where a revision cannot be used', async (t) => {
      await using shared = await openSmtpSink()
      await using own = await openSmtpSink()
      const { follow, send, said } = open(t, smtpAt(shared.port))
      follow(A, smtpAt(own.port))
      follow(A, { courier: { smtp: { connection_uri: 'smtps://mx.example.org/a/path' } } })
      await send(A)
      await send(B)
      assert.deepEqual([own.accepted(), shared.accepted(), said(/left out/).length], [1, 1, 1])
    })
  })

  describe('of which nothing can be read', () => {
    const waits = ({ channels }: ReturnType<typeof open>, project_id: string): boolean =>
      channels.mustWait(recordOf({ project_id }))

    it('has its mail wait until something can be, rather than send it in the name of the operator', async (t) => {
      const opened = open(t, smtpAt(2525))
      opened.channels.noteUnreadable(A)
      assert.deepEqual([waits(opened, A), waits(opened, B), waits(opened, STRANGER)], [true, false, false])
      opened.follow(B, {})
      assert.equal(waits(opened, A), true)
      opened.follow(A, {})
      assert.equal(waits(opened, A), false)
    })

    it('has its mail wait where its very first settings cannot be used, and goes on with the last good ones later', async (t) => {
      const opened = open(t, smtpAt(2525))
      const unusable = { courier: { smtp: { connection_uri: 'smtps://mx.example.org/a/path' } } }
      opened.follow(A, unusable)
      assert.equal(waits(opened, A), true)
      opened.follow(A, smtpAt(2526))
      opened.follow(A, unusable)
      opened.channels.noteUnreadable(A)
      assert.equal(waits(opened, A), false)
    })

    it('is never the operator, whose settings are in a file too', async (t) => {
      const opened = open(t, smtpAt(2525))
      opened.channels.noteUnreadable(DEFAULT_PROJECT_ID)
      assert.equal(waits(opened, DEFAULT_PROJECT_ID), false)
    })
  })

  describe('within the reach of the operator', () => {
    const closed = {
      clients: { smtp: { disallow_private_ip_ranges: true }, http: { disallow_private_ip_ranges: true } },
    }

    it('lets no project out of what the operator allows, and every one into it', async (t) => {
      await using sink = await openSmtpSink()
      await using http = await openHttpSink()
      const { follow, send } = open(t, { ...smtpAt(sink.port), ...closed })
      const opened = {
        clients: { smtp: { disallow_private_ip_ranges: false }, http: { disallow_private_ip_ranges: false } },
      }
      follow(A, { ...smtpAt(sink.port), ...opened })
      follow(B, { ...httpAt(http.origin), ...opened })
      for (const project of [A, B])
        assert.match((await send(project)).failure?.message ?? '', /disallow_private_ip_ranges/)
      assert.deepEqual([sink.connections(), http.connections()], [0, 0])
      follow(DEFAULT_PROJECT_ID, smtpAt(sink.port))
      for (const project of [A, B]) assert.equal((await send(project)).outcome, 'accepted')
    })

    it('takes what a tenant fetches through the guard', async (t) => {
      await using sink = await openSmtpSink()
      await using web = await openHttpSink((_request, response) => void response.end('Fetched'))
      const templates = { login_code: { valid: { email: { subject: `${web.origin}/subject` } } } }
      const { follow, send } = open(t, smtpAt(sink.port))
      follow(B, { courier: { templates } })
      await send(B)
      follow(DEFAULT_PROJECT_ID, { ...smtpAt(sink.port), clients: { http: { disallow_private_ip_ranges: true } } })
      await send(B)
      assert.deepEqual(
        sink.mails.map(({ raw }) => /^Subject: Fetched\r$/m.test(raw)),
        [true, false],
      )
    })

    it('reads no file of the server for a tenant, and says which keys name one', async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'postrider-'))
      t.after(() => rm(folder, { recursive: true }))
      const file = join(folder, 'subject')
      await writeFile(file, 'From the disk')
      await using sink = await openSmtpSink()
      await using http = await openHttpSink()
      const templates = { login_code: { valid: { email: { subject: `file://${file}` } } } }
      const { follow, send, said } = open(t, smtpAt(sink.port))
      follow(DEFAULT_PROJECT_ID, { courier: { ...smtpAt(sink.port).courier, templates } })
      await send(DEFAULT_PROJECT_ID)
      follow(B, { courier: { templates, template_override_path: folder } })
      await send(B)
      assert.deepEqual(
        sink.mails.map(({ raw }) => /From the disk/.test(raw)),
        [true, false],
      )
      const [warning] = said(/files of the server/)
      assert.deepEqual(warning?.keys, [
        'courier.template_override_path',
        'courier.templates.login_code.valid.email.subject',
      ])

      follow(A, httpAt(http.origin, { body: `file://${file}` }))
      assert.match((await send(A)).failure?.message ?? '', /file:\/\/ reads a file of the server/)
      assert.equal(http.connections(), 0)
      const certificate = { client_cert_path: file, client_key_path: file }
      follow(A, smtpAt(sink.port, certificate))
      assert.match(JSON.stringify(said(/left out/)), /client_cert_path: names a file of the server/)
    })
  })
})
