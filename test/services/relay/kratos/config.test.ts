import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isKratosSource, loadKratosConfig } from '../../../../services/relay/kratos/config.ts'

const SECRETS = { SECRETS_CIPHER: 'sixteen characters' }
const DSN = 'postgres://kratos@db/kratos?sslmode=disable'

describe('isKratosSource', () => {
  it('is told by argument or environment, and our outboxes else', () => {
    assert.equal(isKratosSource([], {}), false)
    assert.equal(isKratosSource(['--source', 'kratos'], {}), true)
    assert.equal(isKratosSource([], { POSTRIDER_RELAY_SOURCE: 'kratos' }), true)
    assert.equal(isKratosSource(['--source', 'outbox'], { POSTRIDER_RELAY_SOURCE: 'kratos' }), false)
    assert.throws(() => isKratosSource(['--source', 'hydra'], {}), /--source .*allowed outbox, kratos/)
  })
})

describe('loadKratosConfig', () => {
  it('takes the DSN of Postrider, of Kratos, or from a file', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dsn-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'dsn')
    writeFileSync(file, `${DSN}\n`)
    for (const env of [
      { KRATOS_DSN: DSN, DSN: 'mysql://other' },
      { DSN },
      { KRATOS_DSN_FILE: file },
      { DSN_FILE: file },
    ])
      assert.deepEqual(loadKratosConfig([], { ...SECRETS, ...env }).dsn.urls, [DSN])
  })

  it('names what is missing, and a file that cannot be read', () => {
    assert.throws(() => loadKratosConfig([], SECRETS), /KRATOS_DSN: found nothing.*--dsn/)
    assert.throws(
      () => loadKratosConfig([], { ...SECRETS, DSN_FILE: '/no/such/file' }),
      /DSN_FILE: found a file that cannot be read \(ENOENT\)/,
    )
    assert.throws(() => loadKratosConfig([], { DSN }), /secrets.cipher/)
  })

  it('waits for a database for good while it relays, and 30 s where the command ends by itself', () => {
    const env = { ...SECRETS, DSN }
    const patienceOf = (...args: string[]) => loadKratosConfig(args, env).patienceMs
    assert.deepEqual([patienceOf(), patienceOf('--resume')], [undefined, undefined])
    assert.deepEqual([patienceOf('--prepare'), patienceOf('--drain')], [30_000, 30_000])
  })

  it('refuses options that contradict each other, and unknown ones', () => {
    const env = { ...SECRETS, DSN }
    assert.throws(() => loadKratosConfig(['--drain', '--resume'], env), /--drain: takes nothing/)
    assert.throws(() => loadKratosConfig(['--drain', '--adopt-processing'], env), /--drain: takes nothing/)
    assert.throws(() => loadKratosConfig(['--sauce'], env), /relay: .*--sauce/)
    assert.deepEqual(loadKratosConfig(['--adopt-processing'], env).mode, {
      drain: false,
      resume: false,
      adoptProcessing: true,
      prepare: false,
    })
  })
})
