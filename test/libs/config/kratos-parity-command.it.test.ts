/** What a user sees who points the commands at a configuration of Kratos. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { runCli } from '../../deploy/cli/run-cli.ts'
import { fileOf } from './config-file.ts'

const FOLDER = join(import.meta.dirname, 'kratos-parity')

describe('postrider config check', () => {
  it('finds a whole configuration of Kratos valid, with its templates and payloads, and tells ignored keys on one line', async () => {
    for (const strategy of ['smtp', 'http']) {
      const env = { COURIER_DELIVERY_STRATEGY: strategy }
      const { code, stdout, stderr } = await runCli(['config', 'check', 'kratos.yml'], { cwd: FOLDER, env })
      assert.equal(code, 0, stderr)
      assert.equal(stdout, '')
      const [ignored, ...others] = stderr.trim().split('\n')
      assert.match(ignored ?? '', /^ignored, since they are not for Postrider: version, dsn, serve, /)
      assert.deepEqual(others, ['configuration is valid'])
    }
  })

  it('reads a second file over the first', async () => {
    const second = fileOf('courier: {delivery_strategy: pigeon}', 'second.yml')
    const { code, stderr } = await runCli(['config', 'check', 'kratos.yml', second], { cwd: FOLDER })
    assert.equal(code, 1)
    assert.match(stderr, /second\.yml:1:11 courier\.delivery_strategy: found "pigeon", allowed smtp, http/)
  })

  it('reads the URI of the mail server as the courier does, and repeats nothing of it', async () => {
    const file = fileOf(
      'secrets: {cipher: [sixteen-letters-]}\n' +
        'courier: {smtp: {connection_uri: "smtp://ada:planted%zz@mail.example:25/"}}\n' +
        'postrider: {courier: {fallback: {smtp: {connection_uri: "smtp://ada:planted@mail.example:99999/"}}}}\n',
    )
    const { code, stderr } = await runCli(['config', 'check', file])
    assert.equal(code, 1)
    assert.match(stderr, /target: courier\.smtp\.connection_uri has a % in user or password/)
    assert.match(stderr, /target: postrider\.courier\.fallback\.smtp\.connection_uri must have a port from 1 to 65535/)
    assert.doesNotMatch(stderr, /planted/)
  })

  it('refuses a header that would give the mail to another reader, as the courier does', async () => {
    const file = fileOf('courier: {smtp: {headers: {Bcc: "planted@mail.example"}}}')
    const { code, stderr } = await runCli(['config', 'check', file])
    assert.equal(code, 1)
    assert.match(stderr, /target: courier\.smtp\.headers: "Bcc" is set by the courier/)
    assert.doesNotMatch(stderr, /planted/)
  })

  it('warns of legacy_ssl, which is no longer read', async () => {
    const uri = 'smtps://mail.example:465/?legacy_ssl=true'
    const { code, stderr } = await runCli(['config', 'check'], { env: { COURIER_SMTP_CONNECTION_URI: uri } })
    assert.equal(code, 0)
    assert.match(stderr, /warning: courier\.smtp\.connection_uri: legacy_ssl means nothing since Kratos 0\.8/)
  })
})

describe('postrider up', () => {
  it('takes -c again and again, and starts nothing with a file that it cannot read', async () => {
    const first = fileOf('courier: {message_retries: 1}', 'first.yml')
    const second = fileOf('secrets: {cipher: [planted-secret-of-the-file', 'second.yml')
    const { code, stderr } = await runCli(['up', '-c', first, '--config', second])
    assert.equal(code, 1)
    assert.match(stderr, /^postrider: .*second\.yml:1:\d+ not valid YAML: /)
    assert.doesNotMatch(stderr, /planted/)
  })
})
