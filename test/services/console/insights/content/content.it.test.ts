import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { openRevealTokens } from '../../../../../services/console/insights/content/reveal-tokens.ts'
import { openProjects } from '../../../../support/projects.ts'
import { makeKey } from '../../keys/make-keys.ts'
import { project } from '../../messages.ts'
import { openConsole, type TestConsole } from '../../open-console.ts'

const MESSAGES = '/admin/courier/messages'
const CODE = '417203'
const URL_TOKEN = 'Yx3Lk9Qw7Zt5Rb2N'
const LINK = `https://auth.example.org/self-service/recovery?flow=6f1c&token=${URL_TOKEN}`

describe('the content of a message', () => {
  let console: TestConsole
  let id: string
  let linkId: string
  let stubId: string
  before(async () => {
    console = await openConsole()
    id = await project(console, {
      template_type: 'login_code_valid',
      template_data: { login_code: CODE, expires_in_minutes: 60 },
    })
    linkId = await project(console, { template_type: 'recovery_valid', template_data: { recovery_url: LINK } })
    stubId = await project(console, {
      template_data: {
        subject: `Your code ${CODE}`,
        body: `Use ${CODE} or ${LINK}`,
        html_body: `<p>${CODE}</p><a href="${LINK}">go</a>`,
      },
    })
  })
  after(() => console[Symbol.asyncDispose]())

  const content = (of: string) => console.request('GET', `${MESSAGES}/${of}/content`)
  const reveal = (of: string, reason: unknown, headers = {}) =>
    console.request('POST', `${MESSAGES}/${of}/content/reveal`, { reason }, headers)

  it('is what the mail says, without codes and links, for whoever may read', async () => {
    for (const each of [id, linkId, stubId]) {
      const { status, body, headers } = await content(each)
      assert.equal(status, 200)
      assert.equal(body.masked, true)
      assert.equal(headers.get('cache-control'), 'no-store')
      const html = await console.request('GET', body.html_url)
      assert.equal(html.status, 200)
      for (const part of [JSON.stringify(body), html.body]) {
        assert.ok(!part.includes(CODE), part)
        assert.ok(!part.includes(URL_TOKEN), part)
      }
    }
    assert.match((await content(id)).body.text, /4•••••/)
    assert.match((await content(linkId)).body.text, /https:\/\/auth\.example\.org\/•••••/)
    assert.equal((await content(stubId)).body.subject, 'Your code 4•••••')
  })

  it('is shown of a message that a network of Kratos sent, too', async () => {
    const of = await project(console, {
      project_id: '5f2c1b7e-0d3a-4a57-9f0e-6b1f2a9c8d7e',
      template_data: { subject: 'x', body: 'y' },
    })
    const { status, body } = await content(of)
    assert.deepEqual([status, body.subject], [200, 'x'])
  })

  it('has the headers of the mail', async () => {
    const headers = new Map((await content(id)).body.headers)
    assert.equal(headers.get('To'), 'ada@example.org')
    assert.equal(headers.get('Message-ID'), `<${id}@ory.kratos.sh>`)
    assert.equal(headers.get('Auto-Submitted'), 'auto-generated')
  })

  it('is a document that runs and loads nothing, and that only our page may frame', async () => {
    const { headers } = await console.request('GET', (await content(id)).body.html_url)
    const policy = headers.get('content-security-policy') ?? ''
    for (const part of ["default-src 'none'", "style-src 'unsafe-inline'", 'img-src data:', "frame-ancestors 'self'"])
      assert.ok(policy.includes(part), part)
    assert.match(policy, /; sandbox$/)
    assert.match(headers.get('content-type') ?? '', /^text\/html/)
  })

  it('is shown in clear to whoever says why, which goes into the audit log without secrets', async () => {
    const { status, body } = await reveal(id, `User ada@example.org asked about ${CODE}`)
    assert.equal(status, 200)
    assert.equal(body.masked, false)
    assert.ok(body.text.includes(CODE))
    assert.ok((await console.request('GET', body.html_url)).body.includes(CODE))
    const [entry] = (await console.request('GET', '/admin/audit')).body
    assert.deepEqual(
      [entry.actor, entry.action, entry.message_id, entry.details.reason],
      ['local', 'content.reveal', id, 'User [address] asked about 4•••••'],
    )
    assert.ok(!console.log().includes(CODE))
  })

  for (const reason of [undefined, '', 'ab', '   x   ', 'x'.repeat(201), 5]) {
    it(`stays hidden for the reason ${JSON.stringify(reason)?.slice(0, 12)}`, async () => {
      const { status, body } = await reveal(id, reason)
      assert.equal(status, 400)
      assert.equal(body.error.details.field, 'reason')
      assert.ok(!JSON.stringify(body).includes(CODE))
    })
  }

  it('stays hidden under the token of another message, of another key, or of two minutes ago', async () => {
    const show = async (of: string, token: string, headers = {}) =>
      (await console.request('GET', `${MESSAGES}/${of}/content/html?token=${token}`, undefined, headers)).body.includes(
        CODE,
      )
    const own = openRevealTokens(console.sealer)
    const operator = await makeKey(console, { role: 'operator' })
    const viewer = await makeKey(console, { role: 'viewer' })
    const local = own.make({ messageId: id, keyId: '' })
    assert.equal(await show(id, local), true)
    assert.equal(await show(stubId, local), false)
    assert.equal(await show(id, local, operator.headers), false)
    assert.equal(await show(id, own.make({ messageId: id, keyId: operator.id }), operator.headers), true)
    assert.equal(await show(id, own.make({ messageId: id, keyId: viewer.id }), viewer.headers), false)
    const late = openRevealTokens(console.sealer, () => Date.now() - 121_000)
    assert.equal(await show(id, late.make({ messageId: id, keyId: '' })), false)
    assert.equal(await show(id, 'nonsense'), false)
  })

  it('is revealed by operators only, and to a key of the project only', async () => {
    const viewer = await makeKey(console, { role: 'viewer' })
    assert.equal((await reveal(id, 'a good reason', viewer.headers)).status, 403)
    await console.request('POST', '/projects', { name: 'Other' })
    const other = await makeKey(console, { role: 'operator', project: 'other' })
    assert.equal((await reveal(id, 'a good reason', other.headers)).status, 404)
    assert.equal((await console.request('GET', `${MESSAGES}/${id}/content`, undefined, other.headers)).status, 404)
  })

  it('comes from the templates of the project, and hides codes there as well', async () => {
    const own = (text: string) => `base64://${Buffer.from(text).toString('base64')}`
    const projects = openProjects(console.database, 'a secret of the console tests')
    const templates = {
      login_code: {
        valid: {
          email: {
            subject: own('Hallo {{ .LoginCode }}'),
            body: {
              plaintext: own('Der Code: {{ .LoginCode }}'),
              html: own('<p style="color:#333333">{{ .LoginCode }}</p>'),
            },
          },
        },
      },
    }
    const { id: projectId } = await projects.configure('german', { courier: { templates } })
    const message = await project(console, {
      project_id: projectId,
      template_type: 'login_code_valid',
      template_data: { login_code: CODE },
    })
    const { body } = await content(message)
    assert.equal(body.subject, 'Hallo 4•••••')
    assert.equal(body.text, 'Der Code: 4•••••')
    assert.equal((await console.request('GET', body.html_url)).body, '<p style="color:#333333">4•••••</p>')
    assert.equal((await reveal(message, 'a good reason')).body.text, `Der Code: ${CODE}`)
    assert.equal(new Map(body.headers).get('From'), 'german via Postrider <no-reply@ory.kratos.sh>')
  })

  it('says so where it has not arrived, and where there is no such message', async () => {
    const early = await project(console, { sealed: null })
    const { body } = await content(early)
    assert.deepEqual([body.subject, body.text, body.html_url], ['', '', null])
    assert.match(body.headers[0][1], /has not arrived/)
    assert.equal((await content('019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f')).status, 404)
    assert.equal((await content('nonsense')).status, 400)
  })

  it('masks what another system rendered', async () => {
    const message = await project(console, {})
    const rendered = { subject: `Code ${CODE}`, text: LINK, html: `<td>4</td><td>1</td><td>7</td><td>2</td>` }
    const sealed = console.sealer.seal(DEFAULT_PROJECT_ID, message, {
      recipient: 'a@b.test',
      template_data: {},
      rendered,
    })
    await console.database.query({
      text: 'update console.message set sealed = $2 where id = $1',
      values: [message, sealed],
    })
    const { body } = await content(message)
    assert.equal(body.subject, 'Code 4•••••')
    assert.ok(!body.text.includes(URL_TOKEN))
    assert.equal((await console.request('GET', body.html_url)).body, '<td>4•••••</td><td></td><td></td><td></td>')
  })
})
