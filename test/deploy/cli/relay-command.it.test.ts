import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { runCli } from './run-cli.ts'

const SECRETS = { SECRETS_CIPHER: 'sixteen characters' }

describe('postrider relay', () => {
  it('takes the options of a Kratos source only with one', async () => {
    for (const option of ['--drain', '--resume', '--prepare', '--adopt-processing', '--dsn=postgres://db/kratos']) {
      const { code, stderr } = await runCli(['relay', option], { env: SECRETS })
      assert.equal(code, 2, option)
      assert.match(stderr, /--source kratos/)
    }
  })

  it('hands source, mode and DSN to the relay, and ends as it ends', async () => {
    const dsn = 'mysql://kratos:s3cret@db/kratos'
    const { code, stderr } = await runCli(['relay', '--source', 'kratos', '--dsn', dsn], { env: SECRETS })
    assert.equal(code, 1)
    assert.match(stderr, /^KRATOS_DSN: found mysql, allowed postgres/)
    assert.ok(!stderr.includes('s3cret'))
    const both = await runCli(['relay', '--source', 'kratos', '--drain', '--resume'], { env: SECRETS })
    assert.equal(both.code, 1)
    assert.match(both.stderr, /--drain: takes nothing/)
  })

  it('reads the configuration files that it is given, later ones over earlier ones', async (t) => {
    const cwd = await mkdtemp(join(tmpdir(), 'relay-'))
    t.after(() => rm(cwd, { recursive: true }))
    await writeFile(join(cwd, 'a.yaml'), 'postrider: { kafka: { partitions: many } }\n')
    await writeFile(join(cwd, 'b.yaml'), 'courier: { message_retries: several }\n')
    const { code, stderr } = await runCli(['relay', '-c', 'a.yaml', '--config', 'b.yaml'], { cwd, env: SECRETS })
    assert.equal(code, 1)
    assert.match(stderr, /a\.yaml.*postrider\.kafka\.partitions/)
    assert.match(stderr, /b\.yaml.*courier\.message_retries/)
  })

  it('runs the relay of the outbox without a source', async () => {
    const { code, stderr } = await runCli(['relay'], { env: { POSTRIDER_METRICS_HOST: '127.0.0.1' } })
    assert.equal(code, 1)
    assert.match(stderr, /secrets\.cipher: found nothing/)
  })
})
