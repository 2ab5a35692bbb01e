/** The guide to custom mail servers, typed as it is printed: from the three commands to the request at an HTTP server. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { EXECUTABLE, runCli } from '../deploy/cli/run-cli.ts'
import { openHttpSink } from '../support/http-sink.ts'
import { waitFor } from '../support/servers.ts'
import { openSystem } from '../support/system.ts'

/** The guide's payload template: eleven keys, in the spelling of its context. */
const FIELDS = {
  recovery_code: 'RecoveryCode',
  recovery_url: 'RecoveryURL',
  verification_url: 'VerificationURL',
  verification_code: 'VerificationCode',
  login_code: 'LoginCode',
  registration_code: 'RegistrationCode',
}
const ofData = (field: string): string =>
  `if "TemplateData" in ctx && "${field}" in ctx.TemplateData then ctx.TemplateData.${field} else null`
const PAYLOAD = `function(ctx) {
  recipient: ctx.Recipient,
  template_type: ctx.TemplateType,
  to: ${ofData('To')},
${Object.entries(FIELDS)
  .map(([key, field]) => `  ${key}: ${ofData(field)},`)
  .join('\n')}
  subject: ctx.Subject,
  body: ctx.Body
}`

const ADDRESS = 'ada@example.org'

describe('the guide', () => {
  it('ends in a request with its payload', { timeout: 120_000 }, async () => {
    await using provider = await openHttpSink()
    await using system = await openSystem()
    const ory = async (...args: string[]): Promise<string> => {
      const env = { POSTRIDER_URL: system.console }
      const { code, stdout, stderr } = await runCli(args, { cwd: system.home, env, script: EXECUTABLE })
      assert.equal(code, 0, stderr)
      return stdout
    }

    const [id] = /^[0-9a-f-]{36}/m.exec(await ory('list', 'projects')) ?? []
    assert.ok(id)
    const config = parse(await ory('get', 'identity-config', id, '--format', 'yaml'))
    config.courier.delivery_strategy = 'http'
    config.courier.http = {
      request_config: {
        url: `${provider.origin}/mails`,
        method: 'POST',
        body: `base64://${Buffer.from(PAYLOAD).toString('base64')}`,
        headers: { 'Content-Type': 'application/json' },
        auth: { type: 'basic_auth', config: { user: 'my-username', password: 'my-password' } },
      },
    }
    await writeFile(join(system.home, 'updated_config.yaml'), stringify(config))
    await ory('update', 'identity-config', id, '--file', 'updated_config.yaml')
    await waitFor(
      async () => (await readFile(join(system.home, 'logs', 'courier-1.log'), 'utf8')).includes('taken over'),
      { message: 'the courier has not taken the configuration over' },
    )

    const registration = { traits: { email: ADDRESS } }
    const { status } = await system.request('POST', `${system.identity}/self-service/registration`, registration)
    assert.equal(status, 201)
    const request = await waitFor(() => provider.requests[0], { message: 'no request came' })
    assert.equal(request.method, 'POST')
    assert.equal(request.path, '/mails')
    assert.equal(request.headers['content-type'], 'application/json')
    const credentials = Buffer.from('my-username:my-password').toString('base64')
    assert.equal(request.headers.authorization, `Basic ${credentials}`)

    const { registration_code, subject, body, ...others } = JSON.parse(request.body)
    assert.match(registration_code, /^\d{6}$/)
    assert.ok(subject.length > 0 && body.includes(registration_code))
    const nothing = Object.fromEntries(Object.keys(FIELDS).map((key) => [key, null]))
    const { registration_code: _code, ...empty } = nothing
    assert.deepEqual(others, { recipient: ADDRESS, template_type: 'registration_code_valid', to: ADDRESS, ...empty })
    assert.equal((await system.mailsTo(ADDRESS)).length, 0)

    const { body: list } = await system.request('GET', `${system.console}/admin/courier/messages?recipient=${ADDRESS}`)
    await system.messageIn(list[0].id, 'sent')
  })
})
