import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { describeTemplateTypes } from '#libs/templates'
import { runCli } from './run-cli.ts'

/** A folder with a configuration that names templates, and the templates. */
async function configured(t: TestContext, subject: string, uri: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postrider-templates-'))
  t.after(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'mine/login_code/valid'), { recursive: true })
  await writeFile(join(folder, 'mine/login_code/valid/email.subject.gotmpl'), subject)
  const body = `    recovery_code:\n      valid:\n        email:\n          body:\n            plaintext: ${uri}\n`
  const config = `courier:\n  template_override_path: mine\n  templates:\n${body}`
  await writeFile(join(folder, 'postrider.yaml'), config)
  return folder
}

function base64(text: string): string {
  return `base64://${Buffer.from(text).toString('base64')}`
}

describe('postrider templates fields', () => {
  it('prints the table of types and fields', async () => {
    assert.deepEqual(await runCli(['templates', 'fields']), { code: 0, stdout: describeTemplateTypes(), stderr: '' })
  })
})

describe('postrider config check', () => {
  it('exits 0 where every template renders', async (t) => {
    const cwd = await configured(t, '{{ .LoginCode | upper }}', base64('{{ .RecoveryCode }}'))
    const { code, stderr } = await runCli(['config', 'check'], { cwd })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /configuration is valid\n$/)
  })

  it('exits 1 with file or key, place and remedy of every template that does not', async (t) => {
    const cwd = await configured(t, 'one\n{{ .LoginCod }}', base64('{{ now }}'))
    const { code, stderr } = await runCli(['config', 'check'], { cwd })
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^template: mine\/login_code\/valid\/email\.subject\.gotmpl:2:4 .*no field LoginCod, only LoginCode/m,
    )
    const key = 'courier.templates.recovery_code.valid.email.body.plaintext'
    assert.match(stderr, new RegExp(`^template: ${key.replaceAll('.', '\\.')}:1 there is no function now`, 'm'))
    assert.doesNotMatch(stderr, /configuration is valid/)
  })

  it('exits 1 where a template cannot be loaded', async (t) => {
    const cwd = await configured(t, 'fine', 'file://gone.gotmpl')
    const { code, stderr } = await runCli(['config', 'check'], { cwd })
    assert.equal(code, 1)
    assert.match(stderr, /plaintext file gone\.gotmpl: does not exist/)
  })

  it('exits 1 with key and place of a payload that cannot be made, and 0 of one that can', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'postrider-payloads-'))
    t.after(() => rm(folder, { recursive: true }))
    const check = (source: string) =>
      runCli(['config', 'check'], {
        cwd: folder,
        env: {
          COURIER_DELIVERY_STRATEGY: 'http',
          COURIER_HTTP_REQUEST_CONFIG_URL: 'https://mail.example.com/send',
          COURIER_HTTP_REQUEST_CONFIG_BODY: base64(source),
        },
      })
    const key = /^payload: courier\.http\.request_config\.body: /m
    for (const [source, problem] of [
      ['function(ctx) {\n  to: }', /cannot be parsed at line 2, column 7/],
      ['function(ctx) { to: ctx.nobody }', /failed: Field does not exist: nobody/],
    ] as const) {
      const { code, stderr } = await check(source)
      assert.equal(code, 1)
      assert.match(stderr, key)
      assert.match(stderr, problem)
    }
    const onlyRecovery = 'function(ctx) { code: ctx.template_data.recovery_code }'
    assert.match((await check(onlyRecovery)).stderr, /configuration is valid\n$/)
  })
})
