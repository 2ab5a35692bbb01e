/** Jsonnet as Kratos' courier evaluates it: the context in both dialects, and go-jsonnet's own print, byte by byte. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { openEngine } from '#libs/engine'

const engine = openEngine({ workers: 1, timeoutMs: 120_000 })
after(() => engine[Symbol.asyncDispose]())

const CONTEXT = {
  recipient: 'ada@example.org',
  subject: 'Your code',
  body: 'It is 123456',
  template_type: 'recovery_code_valid',
  template_data: {
    to: 'ada@example.org',
    recovery_code: '123456',
    identity: { id: 'i', traits: { email: 'ada@example.org' } },
    expires_in_minutes: 15,
  },
  message_type: 'email',
}

async function evaluated(
  source: string,
  context: unknown = CONTEXT,
  extras?: Record<string, unknown>,
): Promise<string> {
  const answer = await engine.evaluate(source, JSON.stringify(context), extras)
  assert.ok(answer.ok, answer.ok ? '' : answer.message)
  return answer.json
}

async function failed(source: string, context: unknown = CONTEXT) {
  const answer = await engine.evaluate(source, JSON.stringify(context))
  assert.ok(!answer.ok)
  return answer
}

const CODES = ['RecoveryCode', 'RecoveryURL', 'VerificationURL', 'VerificationCode', 'LoginCode', 'RegistrationCode']
const OLD_TEMPLATE = `function(ctx) {
  recipient: ctx.Recipient,
  template_type: ctx.TemplateType,
  ${['To', ...CODES].map((name) => `${name}: if "TemplateData" in ctx && "${name}" in ctx.TemplateData then ctx.TemplateData.${name} else null,`).join('\n')}
  subject: ctx.Subject,
  body: ctx.Body
}`
const NEW_TEMPLATE = `function(ctx) {
  recipient: ctx.recipient,
  to: ctx.template_data.to,
  [if "recovery_code" in ctx.template_data then "code"]: ctx.template_data.recovery_code,
  [if "login_code" in ctx.template_data then "login"]: ctx.template_data.login_code,
  minutes: ctx.template_data.expires_in_minutes,
}`

describe('evaluate', () => {
  it('serves templates of Kratos 1.0: every old name, and only where its value is', async () => {
    assert.deepEqual(JSON.parse(await evaluated(OLD_TEMPLATE)), {
      recipient: 'ada@example.org',
      template_type: 'recovery_code_valid',
      To: 'ada@example.org',
      RecoveryCode: '123456',
      RecoveryURL: null,
      VerificationURL: null,
      VerificationCode: null,
      LoginCode: null,
      RegistrationCode: null,
      subject: 'Your code',
      body: 'It is 123456',
    })
  })

  it('serves templates of today', async () => {
    assert.deepEqual(JSON.parse(await evaluated(NEW_TEMPLATE)), {
      recipient: 'ada@example.org',
      to: 'ada@example.org',
      code: '123456',
      minutes: 15,
    })
  })

  it('knows every old name', async () => {
    const data =
      'to recovery_code recovery_url verification_url verification_code login_code registration_code identity traits'
    const template_data = Object.fromEntries(
      `${data} request_url transient_payload expires_in_minutes subject body`.split(' ').map((key) => [key, key]),
    )
    const names = [
      ...CODES,
      'To',
      'Identity',
      'Traits',
      'RequestURL',
      'TransientPayload',
      'ExpiresInMinutes',
      'Subject',
      'Body',
    ]
    const source = `function(ctx) [${names.map((name) => `ctx.TemplateData.${name}`).join(', ')}]`
    const found = JSON.parse(await evaluated(source, { template_data })) as string[]
    const snake = (name: string): string =>
      name
        .replace('URL', 'Url')
        .replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`)
        .toLowerCase()
    assert.deepEqual(found, names.map(snake))
  })

  it('prints today’s context and nothing else for function(ctx) ctx', async () => {
    const printed = await evaluated('function(ctx) ctx', CONTEXT, { message_id: 'm', attempt: 2 })
    assert.equal(
      printed,
      `{
   "body": "It is 123456",
   "message_type": "email",
   "recipient": "ada@example.org",
   "subject": "Your code",
   "template_data": {
      "expires_in_minutes": 15,
      "identity": {
         "id": "i",
         "traits": {
            "email": "ada@example.org"
         }
      },
      "recovery_code": "123456",
      "to": "ada@example.org"
   },
   "template_type": "recovery_code_valid"
}
`,
    )
  })

  it('gives the recovery code of an SMS under its own name too', async () => {
    const sms = { template_type: 'recovery_code_valid', template_data: { to: '+1', verification_code: '42' } }
    const source =
      'function(ctx) [ctx.template_data.recovery_code, ctx.TemplateData.RecoveryCode, ctx.TemplateData.VerificationCode]'
    assert.deepEqual(JSON.parse(await evaluated(source, sms)), ['42', '42', '42'])
    assert.deepEqual(JSON.parse(await evaluated('function(ctx) ctx', sms)), sms)
    const verification = { ...sms, template_type: 'verification_code_valid' }
    assert.equal(await evaluated('function(ctx) "RecoveryCode" in ctx.TemplateData', verification), 'false\n')
  })

  it('gives the extras as hidden keys, never in place of one of the context', async () => {
    const extras = { message_id: 'm', attempt: 2, idempotency_key: 'k', project_id: 'p', recipient: 'not this' }
    const source = 'function(ctx) [ctx.message_id, ctx.attempt, ctx.idempotency_key, ctx.project_id, ctx.recipient]'
    assert.deepEqual(JSON.parse(await evaluated(source, CONTEXT, extras)), ['m', 2, 'k', 'p', 'ada@example.org'])
  })

  it('evaluates a template that is no function as it is', async () => {
    assert.equal(await evaluated('{a:1}'), '{\n   "a": 1\n}\n')
  })

  it('needs the parameter to be called ctx, and lets others have defaults', async () => {
    assert.match((await failed('function(c) c')).message, /function has no parameter ctx/)
    assert.equal(await evaluated('function(ctx, more=1) more'), '1\n')
  })

  it('tells a template’s wish to cancel from an error', async () => {
    assert.deepEqual(await failed('function(ctx) error "cancel"'), { ok: false, kind: 'cancel', message: 'cancel' })
    assert.deepEqual((await failed('function(ctx) if ctx.subject == "Your code" then error "cancel"')).kind, 'cancel')
    assert.equal((await failed('error "cancelled"')).kind, 'runtime')
    assert.equal((await failed('{ a: cancel }')).kind, 'parse')
  })

  it('prints what std.trace is given nowhere', async () => {
    assert.equal(await evaluated('std.trace("secret", 1)'), '1\n')
  })

  const BYTES: [source: string, context: unknown, printed: string][] = [
    ['{b: 1, a: 2}', {}, '{\n   "a": 2,\n   "b": 1\n}\n'],
    ['[{}, [], null, true]', {}, '[\n   { },\n   [ ],\n   null,\n   true\n]\n'],
    ['"<>&\'\\""', {}, '"<>&\'\\""\n'],
    [
      'function(ctx) ctx.s',
      { s: '<a href="x">&\u2028\u2029\u0001\t\n😀é' },
      '"<a href=\\"x\\">&\u2028\u2029\\u0001\\t\\n😀é"\n',
    ],
    [
      '[12345678901234567890, 0.1, 1e21, -0, 3.0]',
      {},
      '[\n   12345678901234567168,\n   0.10000000000000001,\n   1000000000000000000000,\n   -0,\n   3\n]\n',
    ],
    ['function(ctx) [ctx.n, ctx.f]', { n: 1e15, f: 0.1 }, '[\n   1000000000000000,\n   0.10000000000000001\n]\n'],
    ['"text"', {}, '"text"\n'],
  ]
  for (const [source, context, printed] of BYTES)
    it(`prints ${source} as go-jsonnet does`, async () => {
      assert.equal(await evaluated(source, context), printed)
    })

  it('passes digits on as they are written', async () => {
    const answer = await engine.evaluate('function(ctx) ctx', '[12345678901234567890, -0, 1E2]', {})
    assert.deepEqual(answer, { ok: true, json: '[\n   12345678901234567168,\n   -0,\n   100\n]\n' })
  })

  it('reads any context as Jsonnet would read the same text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (value) => {
        const asSource = await engine.evaluate(JSON.stringify(value), '{}')
        assert.deepEqual(await engine.evaluate('function(ctx) ctx', JSON.stringify(value)), asSource)
      }),
      { numRuns: 150 },
    )
  })

  it('says that a context is no JSON', async () => {
    const answer = await engine.evaluate('1', '{"a":')
    assert.ok(!answer.ok)
    assert.match(answer.message, /^ctx: /)
  })
})

describe('lint', () => {
  it('reports what looks wrong, under the name that it is given', async () => {
    const answer = await engine.lint('local unused = 1; function(ctx) {}', 'payload.jsonnet')
    assert.ok(answer.ok)
    assert.match(answer.text, /^payload\.jsonnet:1:7-17 Unused variable: unused/)
  })

  it('reports what does not parse', async () => {
    const answer = await engine.lint('{a:', 'payload.jsonnet')
    assert.ok(answer.ok)
    assert.match(answer.text, /payload\.jsonnet:1:4 Unexpected end of file/)
  })

  it('says nothing of a sound template', async () => {
    assert.deepEqual(await engine.lint(NEW_TEMPLATE, 'payload.jsonnet'), { ok: true, text: '' })
  })
})

describe('format', () => {
  it('prints the source in the usual form', async () => {
    assert.deepEqual(await engine.format('function(ctx) {a:ctx.b,"c":[1,2]}'), {
      ok: true,
      text: 'function(ctx) { a: ctx.b, c: [1, 2] }\n',
    })
  })

  it('refuses what does not parse', async () => {
    const answer = await engine.format('{a:')
    assert.ok(!answer.ok)
    assert.equal(answer.kind, 'parse')
  })
})
