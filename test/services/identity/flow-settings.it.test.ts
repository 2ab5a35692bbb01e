import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pino from 'pino'
import { loadConfig } from '#libs/config'
import { type Database, openDatabase } from '#libs/database'
import { isCoded } from '#libs/errors'
import { openSealer } from '#libs/messages'
import { flowSettingsOf, followFlowSettings } from '../../../services/identity/flow-settings.ts'
import { openProjects, type Projects } from '../../support/projects.ts'
import { type TestDatabase, testDatabase } from '../../support/servers.ts'

const SECRET = 'a secret of the settings tests'
const PUBLIC_URL = 'http://identity.example'

const settingsOf = (env: Record<string, string>) => ({
  ...flowSettingsOf(loadConfig({ env }), PUBLIC_URL),
  publicUrl: PUBLIC_URL,
  kept: 'of the process',
})
const withLifespan = (lifespan: string) => ({ selfservice: { methods: { code: { config: { lifespan } } } } })

describe('flowSettingsOf', () => {
  it('has the defaults of Kratos', () => {
    const { headerAllowlist, ...settings } = settingsOf({})
    assert.deepEqual(settings, {
      codeLifespanMs: 3_600_000,
      linkLifespanMs: 3_600_000,
      linkBaseUrl: PUBLIC_URL,
      notifyUnknown: { recovery: false, verification: false },
      publicUrl: PUBLIC_URL,
      kept: 'of the process',
    })
    assert.equal(headerAllowlist.length, 17)
  })

  it('refuses a lifespan that no mail can have, naming the key', () => {
    for (const method of ['code', 'link']) {
      assert.throws(
        () => settingsOf({ [`SELFSERVICE_METHODS_${method.toUpperCase()}_CONFIG_LIFESPAN`]: '121h' }),
        (error) => isCoded(error, 'CONFIG_INVALID') && error.message.includes(`methods.${method}.config.lifespan`),
      )
    }
  })
})

describe('followFlowSettings', () => {
  let server: TestDatabase
  let database: Database
  let projects: Projects
  before(async () => {
    server = await testDatabase()
    database = openDatabase({ url: server.url, applicationName: 'test', max: 4 })
    projects = openProjects(database, SECRET)
  })
  after(async () => {
    await database?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  const open = () => {
    const own = settingsOf({ SELFSERVICE_METHODS_CODE_CONFIG_LIFESPAN: '7m' })
    return followFlowSettings(own, { database, sealer: openSealer([SECRET]), log: pino({ level: 'silent' }) })
  }

  it('takes the newest revision of the project default, and keeps the last good one', async () => {
    const settings = open()
    await settings.follow()
    assert.equal(settings.current().codeLifespanMs, 7 * 60_000)

    await projects.configure('another', withLifespan('1m'))
    await settings.follow()
    assert.equal(settings.current().codeLifespanMs, 7 * 60_000)

    await projects.configure('default', {
      selfservice: {
        methods: { code: { config: { lifespan: '3m' } }, link: { config: { base_url: 'https://links.example/' } } },
        flows: { recovery: { notify_unknown_recipients: true } },
      },
      clients: { web_hook: { header_allowlist: ['X-Brand'] } },
    })
    await settings.follow()
    assert.deepEqual(settings.current(), {
      codeLifespanMs: 3 * 60_000,
      linkLifespanMs: 3_600_000,
      linkBaseUrl: 'https://links.example',
      notifyUnknown: { recovery: true, verification: false },
      headerAllowlist: ['X-Brand'],
      publicUrl: PUBLIC_URL,
      kept: 'of the process',
    })

    for (const broken of [withLifespan('200h'), withLifespan('soon'), 'no settings']) {
      await projects.configure('default', broken)
      await settings.follow()
      assert.equal(settings.current().codeLifespanMs, 3 * 60_000)
    }
    await projects.configure('default', withLifespan('4m'))
    await Promise.all([settings.follow(), settings.follow(), settings.follow()])
    assert.equal(settings.current().codeLifespanMs, 4 * 60_000)
  })

  it('goes on after the database did not answer', async () => {
    let isDown = true
    const flaky = {
      query: (statement: Parameters<Database['query']>[0]) =>
        isDown ? Promise.reject(new Error('down')) : database.query(statement),
    } as Pick<Database, 'query'>
    const ports = { database: flaky, sealer: openSealer([SECRET]), log: pino({ level: 'silent' }) }
    const settings = followFlowSettings(settingsOf({}), ports)
    await assert.rejects(settings.follow())
    isDown = false
    await settings.follow()
    assert.equal(settings.current().codeLifespanMs, 4 * 60_000)
  })
})
