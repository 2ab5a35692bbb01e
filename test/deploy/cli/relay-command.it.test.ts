import assert from 'node:assert/strict'
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

  it('runs the relay of the outbox without a source', async () => {
    const { code, stderr } = await runCli(['relay'], { env: { POSTRIDER_METRICS_HOST: '127.0.0.1' } })
    assert.equal(code, 1)
    assert.match(stderr, /secrets\.cipher: found nothing/)
  })
})
