import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { isCoded, messageOf } from '#libs/errors'
import { loadLocalSettings } from '../../../deploy/local/local-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'settings-'))
after(() => rmSync(folder, { recursive: true }))

describe('loadLocalSettings', () => {
  it('embeds everything when nothing is said', () => {
    const settings = loadLocalSettings({}, folder)
    assert.deepEqual(settings.embeds, { postgres: true, kafka: true, mailbox: true })
    assert.equal(settings.home, join(folder, '.postrider'))
    assert.equal(settings.ports.POSTRIDER_CONSOLE_PORT, 4434)
    assert.equal(settings.hasSecrets, false)
  })

  for (const [variable, value, part] of [
    ['DATABASE_URL', 'postgres://db/x', 'postgres'],
    ['DATABASE_URL_FILE', '/run/secrets/db', 'postgres'],
    ['KAFKA_BROKERS', 'kafka:9092', 'kafka'],
    ['COURIER_SMTP_CONNECTION_URI', 'smtp://mail:25/', 'mailbox'],
    ['COURIER_DELIVERY_STRATEGY', 'http', 'mailbox'],
  ] as const) {
    it(`leaves ${part} out when ${variable} is set`, () => {
      const { embeds } = loadLocalSettings({ [variable]: value }, folder)
      const left = Object.entries(embeds).filter(([, isEmbedded]) => !isEmbedded)
      assert.deepEqual(left, [[part, false]])
    })
  }

  it('reads the target and the secrets of a configuration file', () => {
    const path = join(folder, 'own.yaml')
    writeFileSync(path, 'courier:\n  smtp:\n    connection_uri: smtps://mail/\nsecrets:\n  cipher: [a, b]\n')
    const settings = loadLocalSettings({ POSTRIDER_CONFIG: 'own.yaml' }, folder)
    assert.deepEqual(settings.configFiles, [path])
    assert.deepEqual(settings.embeds, { postgres: true, kafka: true, mailbox: false })
    assert.equal(settings.hasSecrets, true)
  })

  it('reads several configuration files, and the later one says how mail goes out', () => {
    writeFileSync(join(folder, 'base.yaml'), 'courier:\n  delivery_strategy: http\nsecrets:\n  cipher: [a]\n')
    writeFileSync(join(folder, 'mail.yaml'), 'courier:\n  delivery_strategy: smtp\n')
    const settings = loadLocalSettings({ POSTRIDER_CONFIG: 'base.yaml, mail.yaml' }, folder)
    assert.deepEqual(settings.configFiles, [join(folder, 'base.yaml'), join(folder, 'mail.yaml')])
    assert.equal(settings.embeds.mailbox, true)
    assert.equal(settings.hasSecrets, true)
  })

  for (const [env, pattern] of [
    [{ POSTRIDER_CONSOLE_PORT: '70000' }, /POSTRIDER_CONSOLE_PORT: found "70000"/],
    [{ POSTRIDER_KAFKA_PORT: '4432' }, /POSTRIDER_POSTGRES_PORT and POSTRIDER_KAFKA_PORT: both are 4432/],
  ] as const) {
    it(`refuses ${JSON.stringify(env)} by name`, () => {
      assert.throws(
        () => loadLocalSettings(env, folder),
        (error) => isCoded(error, 'CONFIG_INVALID') && pattern.test(messageOf(error)),
      )
    })
  }
})
