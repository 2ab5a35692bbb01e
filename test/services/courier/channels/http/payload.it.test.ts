import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderMessage, SAMPLE_DATA } from '#libs/templates'
import type { OutgoingMail } from '../../../../../services/courier/channels/channel.ts'
import { base64, openFixture } from './http-fixture.ts'

/** As the documentation of the courier prints it, in the names of Kratos 1.0. */
const GUIDE = `function(ctx) {
recipient: ctx.Recipient,
template_type: ctx.TemplateType,
to: if "TemplateData" in ctx && "To" in ctx.TemplateData then ctx.TemplateData.To else null,
recovery_code: if "TemplateData" in ctx && "RecoveryCode" in ctx.TemplateData then ctx.TemplateData.RecoveryCode else null,
recovery_url: if "TemplateData" in ctx && "RecoveryURL" in ctx.TemplateData then ctx.TemplateData.RecoveryURL else null,
verification_url: if "TemplateData" in ctx && "VerificationURL" in ctx.TemplateData then ctx.TemplateData.VerificationURL else null,
verification_code: if "TemplateData" in ctx && "VerificationCode" in ctx.TemplateData then ctx.TemplateData.VerificationCode else null,
login_code: if "TemplateData" in ctx && "LoginCode" in ctx.TemplateData then ctx.TemplateData.LoginCode else null,
registration_code: if "TemplateData" in ctx && "RegistrationCode" in ctx.TemplateData then ctx.TemplateData.RegistrationCode else null,
subject: ctx.Subject,
body: ctx.Body
}`

/** The same in today's names. */
const TODAY = `function(ctx)
  local field(name) = if "template_data" in ctx && name in ctx.template_data then ctx.template_data[name] else null;
  { [name]: field(name) for name in ["to", "recovery_code", "recovery_url", "verification_url", "verification_code",
    "login_code", "registration_code"] }
  + { recipient: ctx.recipient, template_type: ctx.template_type, subject: ctx.subject, body: ctx.body }`

interface Sample {
  readonly templateType: string
  readonly channel: 'email' | 'sms'
  readonly data: Readonly<Record<string, unknown>>
}

function mailOf({ templateType, channel, data }: Sample): Partial<OutgoingMail> {
  const recipient = channel === 'sms' ? '+4930901820' : 'ada@example.org'
  const { subject, text, html } = renderMessage({ templateType, channel, data })
  const parts = { recipient, subject, text, ...(html !== undefined && { html }) }
  return { messageType: channel, templateType, templateData: data, ...parts }
}

/** Eleven fields in order, three blanks, a line end at the end. */
function expected({ templateType, channel, data }: Sample): string {
  const { recipient, subject, text } = mailOf({ templateType, channel, data })
  // By SMS a recovery code travels under the name of a verification code, and is there under both.
  const recovery =
    data.recovery_code ?? (templateType === 'recovery_code_valid' ? data.verification_code : null) ?? null
  const fields = {
    body: text,
    login_code: data.login_code ?? null,
    recipient,
    recovery_code: recovery,
    recovery_url: data.recovery_url ?? null,
    registration_code: data.registration_code ?? null,
    subject,
    template_type: templateType,
    to: data.to,
    verification_code: data.verification_code ?? null,
    verification_url: data.verification_url ?? null,
  }
  return `${JSON.stringify(fields, null, 3)}\n`
}

describe('the body of a request', () => {
  const templates: [name: string, body: string | undefined][] = [
    ['the built-in template', undefined],
    ["the documentation's template", base64(GUIDE)],
    ["the same in today's names", base64(TODAY)],
  ]
  for (const [name, body] of templates) {
    it(`is the eleven fields for every type, byte for byte, by ${name}`, async () => {
      await using fixture = await openFixture({ config: body === undefined ? {} : { body } })
      for (const sample of SAMPLE_DATA) {
        const { outcome, failure } = await fixture.send(mailOf(sample))
        assert.equal(outcome, 'accepted', failure?.message)
        assert.equal(fixture.sink.requests.at(-1)?.body, expected(sample), `${sample.templateType} ${sample.channel}`)
      }
      assert.equal(fixture.sink.requests.length, SAMPLE_DATA.length)
      assert.equal(fixture.sink.requests[0]?.headers['content-type'], 'application/json')
    })
  }

  it('is made from the whole context, and from nothing hidden', async () => {
    await using fixture = await openFixture({ config: { body: base64('function(ctx) ctx') } })
    await fixture.send({ requestHeaders: { 'Accept-Language': ['de'] }, text: '<&> "\u2028 ß 😀', html: '' })
    const context = {
      body: '<&> "\u2028 ß 😀',
      message_type: 'email',
      recipient: 'ada@example.org',
      request_headers: { 'Accept-Language': ['de'] },
      subject: 'Your code',
      template_data: { login_code: '731904', to: 'ada@example.org' },
      template_type: 'login_code_valid',
    }
    assert.deepEqual(JSON.parse(fixture.sink.requests[0]?.body ?? ''), context)
    await fixture.send({ html: '<p>Hi</p>' })
    assert.equal(JSON.parse(fixture.sink.requests[1]?.body ?? '').html_body, '<p>Hi</p>')
    assert.deepEqual(JSON.parse(fixture.sink.requests[1]?.body ?? '').request_headers, {})
  })

  it('may ask for the hidden extras', async () => {
    const body = base64('function(ctx) [ctx.message_id, ctx.attempt, ctx.idempotency_key, ctx.project_id]')
    await using fixture = await openFixture({ config: { body } })
    await fixture.send({ messageId: 'm-1', dispatch: 3, projectId: 'p-1' })
    assert.deepEqual(JSON.parse(fixture.sink.requests[0]?.body ?? ''), ['m-1', 3, 'm-1', 'p-1'])
  })

  it('names the recipient as `to` where the data leave it out', async () => {
    await using fixture = await openFixture()
    await fixture.send({ templateData: { login_code: '1' } })
    assert.equal(JSON.parse(fixture.sink.requests[0]?.body ?? '').to, 'ada@example.org')
  })

  it('is a form for a provider of text messages', async () => {
    const config = {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: base64('function(ctx) { To: ctx.recipient, From: "+49 30 1", Body: ctx.body }'),
      auth: { type: 'basic_auth', config: { user: 'AC1', password: 'token' } },
    } as const
    await using fixture = await openFixture({ config, path: '/2010-04-01/Accounts/AC1/Messages.json' })
    fixture.sink.answer = (_request, response) => response.writeHead(201).end('{"sid":"SM1","status":"queued"}')
    const sms = { messageType: 'sms', recipient: '+4930901820', subject: '', text: "It's ~1*(2)! & 3\n" } as const
    const { outcome, providerMessageId } = await fixture.send(sms)
    assert.deepEqual([outcome, providerMessageId], ['accepted', 'SM1'])
    const [request] = fixture.sink.requests
    assert.equal(request?.body, 'Body=It%27s+~1%2A%282%29%21+%26+3%0A&From=%2B49+30+1&To=%2B4930901820')
    assert.equal(request?.headers['content-type'], 'application/x-www-form-urlencoded')
    assert.equal(request?.headers.authorization, `Basic ${Buffer.from('AC1:token').toString('base64')}`)
    assert.equal(request?.path, '/2010-04-01/Accounts/AC1/Messages.json')
  })
})
