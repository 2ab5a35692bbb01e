import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadConsoleConfig } from '../../../services/console/config.ts'

const ENV = { DATABASE_URL: 'postgres://localhost/x', SECRETS_CIPHER: 'a cipher secret of the tests' }

describe('loadConsoleConfig', () => {
  it('seals page tokens with the secrets for them, else with those of messages', () => {
    assert.deepEqual(loadConsoleConfig(ENV).pageSecrets, [ENV.SECRETS_CIPHER])
    const own = { ...ENV, SECRETS_PAGINATION: 'a newer secret of pages,an older secret of pages' }
    assert.deepEqual(loadConsoleConfig(own).pageSecrets, ['a newer secret of pages', 'an older secret of pages'])
  })

  it('takes any address to listen on, a public URL and a key', () => {
    const env = {
      ...ENV,
      POSTRIDER_CONSOLE_HOST: '0.0.0.0',
      POSTRIDER_CONSOLE_PUBLIC_URL: 'https://console.example.org/mail/',
      POSTRIDER_CONSOLE_ADMIN_KEY: 'k'.repeat(32),
    }
    const { host, publicOrigin, adminKey } = loadConsoleConfig(env)
    assert.deepEqual([host, publicOrigin, adminKey], ['0.0.0.0', 'https://console.example.org', 'k'.repeat(32)])
    assert.deepEqual([loadConsoleConfig(ENV).publicOrigin, loadConsoleConfig(ENV).adminKey], [undefined, ''])
  })
})
