import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import type { FailureClass, Outcome } from '#libs/delivery'
import { CodedError } from '#libs/errors'
import { openHttpSink, replying } from '../../../../support/http-sink.ts'
import { base64, openFixture, outgoingMail } from './http-fixture.ts'

const SECRETS = /731904|ada@example|s3cret|key=/

describe('openHttpChannel', () => {
  it('sends several mails over one connection', async () => {
    await using fixture = await openFixture()
    const first = await fixture.send()
    const second = await fixture.send()
    assert.deepEqual([first.outcome, second.outcome], ['accepted', 'accepted'])
    assert.deepEqual([first.reused, second.reused], [false, true])
    assert.ok(first.timings.connectMs !== undefined && second.timings.connectMs === undefined)
    assert.equal(fixture.sink.connections(), 1)
    assert.deepEqual(second.peer, { host: '127.0.0.1', port: fixture.sink.port, address: '127.0.0.1' })
    assert.equal(second.providerMessageId, 'p-1')
    assert.deepEqual(second.reply, { code: 202, command: 'HTTP', text: '{"id":"p-1"}' })
  })

  it('opens another connection after the server closed one', async () => {
    await using fixture = await openFixture({}, replying(200, '', { connection: 'close' }))
    await fixture.send()
    const { outcome, reused } = await fixture.send()
    assert.deepEqual([outcome, reused, fixture.sink.connections()], ['accepted', false, 2])
  })

  it('has as many places as connections, and says when one comes free', async () => {
    const held: ServerResponse[] = []
    await using fixture = await openFixture({ maxConnections: 2 }, (_request, response) => {
      held.push(response)
      if (held.length === 2) for (const each of held) each.writeHead(202).end()
    })
    let freed = 0
    fixture.channel.onFree(() => freed++)
    const under = [fixture.send(), fixture.send()]
    assert.equal(fixture.channel.free, 0)
    assert.throws(() => fixture.channel.send(outgoingMail(), () => undefined))
    await Promise.all(under)
    assert.deepEqual([fixture.channel.free, freed], [2, 1])
    assert.equal(fixture.sink.connections(), 2)
  })

  it('closes when what is under way has ended, and takes no more', async () => {
    await using fixture = await openFixture()
    const sent = fixture.send()
    const closed = fixture.channel.close()
    assert.equal(fixture.channel.free, 0)
    await closed
    assert.equal((await sent).outcome, 'accepted')
    const { outcome, failure } = await fixture.send()
    assert.deepEqual([outcome, failure?.class], ['failed', 'network'])
    assert.equal(fixture.sink.requests.length, 1)
  })

  describe('the answer', () => {
    const rows: [status: number, outcome: Outcome, failureClass: FailureClass | undefined][] = [
      ...[200, 201, 202, 204, 299].map((status) => [status, 'accepted', undefined] as const),
      ...[301, 302, 303, 304, 307, 308].map((status) => [status, 'failed', 'config'] as const),
      ...[401, 403, 407].map((status) => [status, 'failed', 'auth'] as const),
      ...[400, 402, 404, 405, 409, 410, 413, 415, 418, 422, 501].map(
        (status) => [status, 'failed', 'permanent_remote'] as const,
      ),
      ...[408, 425, 500, 502, 503, 504, 529].map((status) => [status, 'failed', 'transient_remote'] as const),
      [429, 'failed', 'throttled'],
    ].map(
      ([status, outcome, failureClass]) =>
        [status, outcome, failureClass] as [number, Outcome, FailureClass | undefined],
    )

    it('is classified by its status, in words without secrets', async () => {
      await using fixture = await openFixture({ path: '/send?key=s3cret' })
      for (const [status, outcome, failureClass] of rows) {
        fixture.sink.answer = replying(status, status === 204 || status === 304 ? '' : 'ada@example.org 731904', {
          location: '/elsewhere',
        })
        const attempt = await fixture.send()
        assert.deepEqual([status, attempt.outcome, attempt.failure?.class], [status, outcome, failureClass])
        assert.equal(attempt.reply?.code, status)
        if (attempt.failure === undefined) continue
        assert.deepEqual([attempt.failure.replyCode, attempt.failure.command], [status, 'HTTP'])
        assert.ok(attempt.failure.message.startsWith(`POST 127.0.0.1:${fixture.sink.port} answered ${status}: `))
        assert.doesNotMatch(attempt.failure.message, SECRETS)
      }
      assert.equal(fixture.sink.requests.length, rows.length, 'no redirect was followed and nothing was sent again')
      assert.equal(fixture.sink.connections(), 1)
    })

    it('says what to do about a redirect', async () => {
      await using fixture = await openFixture({}, replying(307, '', { location: '/elsewhere' }))
      const { failure } = await fixture.send()
      assert.equal(
        failure?.message,
        `POST 127.0.0.1:${fixture.sink.port} answered 307: a redirect, which is never followed; put the final address into courier.http.request_config.url`,
      )
    })

    it('says how long to wait, in seconds or by a date', async () => {
      await using fixture = await openFixture({ now: () => Date.parse('2026-01-02T03:04:05Z') })
      const waits: [header: string, ms: number | undefined][] = [
        ['120', 120_000],
        ['Fri, 02 Jan 2026 03:05:05 GMT', 60_000],
        ['999999', 86_400_000],
        ['soon', undefined],
      ]
      for (const [header, ms] of waits) {
        fixture.sink.answer = replying(429, '', { 'retry-after': header })
        assert.equal((await fixture.send({ deadline: Number.POSITIVE_INFINITY })).failure?.retryAfterMs, ms)
      }
    })

    it('is kept up to a KiB, and no longer read than it takes to find an id', async () => {
      await using fixture = await openFixture({}, replying(500, 'x'.repeat(2_000)))
      assert.equal((await fixture.send()).reply?.text, 'x'.repeat(1_024))
      // Never ends: only a reader that stops comes to a result.
      fixture.sink.answer = (_request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write('y'.repeat(16_384)));
          if (!response.destroyed) response.once('drain', more)
        }
        more()
      }
      assert.equal((await fixture.send()).outcome, 'accepted')
      fixture.sink.answer = replying(202)
      assert.equal((await fixture.send()).outcome, 'accepted')
      assert.equal(fixture.sink.connections(), 2)
    })

    it('is the last one of several', async () => {
      await using fixture = await openFixture({}, (_request, response) => {
        response.writeProcessing()
        response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.writeHead(202).end())
      })
      assert.equal((await fixture.send()).reply?.code, 202)
    })
  })

  describe('the template', () => {
    it('may cancel the message', async () => {
      await using fixture = await openFixture({ config: { body: base64('function(ctx) error "cancel"') } })
      const { outcome, failure } = await fixture.send()
      assert.deepEqual([outcome, failure?.class, fixture.sink.requests.length], ['failed', 'cancelled', 0])
    })

    const faulty: [source: string, message: string][] = [
      ['function(ctx) {\n  a: ctx.recipient,\n  b: }', 'cannot be parsed at line 3, column 6'],
      ['function(ctx) ctx.template_data.code', 'failed: Field does not exist: code'],
      ['function(ctx) ctx.template_data["x" + ctx.template_data.login_code]', 'failed: Field does not exist: …'],
      ['function(ctx) error "no " + ctx.recipient', 'failed: its own error, or one that quotes the mail'],
      ['function(ctx) std.parseJson(ctx.body)', 'failed: its own error, or one that quotes the mail'],
      ['function(mail) mail', 'failed: function has no parameter ctx'],
      ['local f(x) = f(x + 1); f(1)', 'failed: max stack frames exceeded.'],
      ['function(ctx) import "x"', 'failed: import is disabled'],
    ]
    for (const [source, problem] of faulty) {
      it(`is at fault: ${problem}: ${source.replaceAll('\n', ' ')}`, async () => {
        await using fixture = await openFixture({ config: { body: base64(source) } })
        const { outcome, failure } = await fixture.send()
        assert.deepEqual([outcome, failure?.class], ['failed', 'render'])
        assert.equal(failure?.message, `the template of courier.http.request_config.body ${problem}`)
        assert.equal(fixture.sink.requests.length, 0)
      })
    }

    it('is at fault when it makes no form', async () => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      for (const source of ['{ a: 1 }', '{ a: null }', '["a"]', '"a"']) {
        await using fixture = await openFixture({ config: { headers, body: base64(source) } })
        const { failure } = await fixture.send()
        assert.equal(failure?.class, 'render')
        assert.match(failure?.message ?? '', /does not make a form: a form needs/)
      }
    })

    it('is fetched once, kept, and only then used', async () => {
      await using templates = await openHttpSink(replying(200, 'function(ctx) { code: ctx.template_data.login_code }'))
      await using fixture = await openFixture({ config: { body: `${templates.origin}/t.jsonnet` } })
      await fixture.send()
      await fixture.send()
      assert.equal(fixture.sink.requests[1]?.body, '{\n   "code": "731904"\n}\n')
      assert.equal(templates.requests.length, 1)
    })

    it('that cannot be had makes the message wait', async () => {
      await using fixture = await openFixture({ config: { body: 'file:///no/such/template' } })
      const { failure } = await fixture.send()
      assert.deepEqual(failure, {
        class: 'network',
        message:
          'the template of courier.http.request_config.body cannot be loaded: file /no/such/template: does not exist',
      })
    })

    it('waits for an engine that is busy', async () => {
      const engine = {
        evaluate: async () => {
          throw new CodedError('ENGINE_BUSY', 'too many jobs')
        },
      }
      await using fixture = await openFixture({ engine })
      assert.equal((await fixture.send()).failure?.class, 'throttled')
    })

    it('waits for an engine that does not work', async () => {
      const engine = { evaluate: () => Promise.reject(new Error('its file is missing')) }
      await using fixture = await openFixture({ engine })
      const { failure } = await fixture.send()
      assert.deepEqual(failure, { class: 'network', message: 'the Jsonnet engine does not work: its file is missing' })
    })
  })

  it('asks last whether the mail is still wanted', async () => {
    const steps: string[] = []
    const engine = {
      evaluate: async () => {
        steps.push('rendered')
        return { ok: true, json: '{}' } as const
      },
    }
    await using fixture = await openFixture({ engine })
    const { outcome, failure } = await fixture.send({}, () => {
      steps.push('asked')
      return false
    })
    assert.deepEqual([outcome, failure?.class, steps], ['failed', 'expired', ['rendered', 'asked']])
    assert.equal(fixture.sink.requests.length, 0)
  })
})
