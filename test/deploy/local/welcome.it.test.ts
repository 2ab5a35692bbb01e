import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadLocalSettings } from '../../../deploy/local/local-settings.ts'
import { needsKey, welcome } from '../../../deploy/local/welcome.ts'
import { openConsole } from '../../services/console/open-console.ts'
import { freePort } from '../../support/servers.ts'

describe('needsKey', () => {
  it('is what the console itself says: beyond loopback it asks for a key', async () => {
    await using local = await openConsole()
    await using shown = await openConsole({ host: '0.0.0.0' })
    assert.deepEqual([await needsKey(local.url), await needsKey(shown.url)], [false, true])
  })

  it('is not, of a console that is gone', async () => {
    assert.equal(await needsKey(`http://127.0.0.1:${await freePort()}`), false)
  })
})

describe('welcome', () => {
  const settings = loadLocalSettings({ POSTRIDER_HOME: '/home/of/postrider' }, '/')

  it('lists messages by a command that works as it stands', () => {
    const text = welcome(settings, { elapsedMs: 1_500, isKeyNeeded: false })
    assert.match(text, /^ {2}curl -s http:\/\/127\.0\.0\.1:4434\/admin\/courier\/messages$/m)
    assert.match(text, /^ {2}logs +\/home\/of\/postrider\/logs$/m)
    assert.doesNotMatch(text, /POSTRIDER_API_KEY/)
  })

  it('tells how to make a key where one is needed, and shows it to the console', () => {
    const text = welcome(settings, { elapsedMs: 1_500, isKeyNeeded: true })
    assert.match(text, /^ {2}export POSTRIDER_API_KEY=\$\(npx postrider keys create --name me --role admin\)$/m)
    assert.match(
      text,
      /-H "Authorization: Bearer \$POSTRIDER_API_KEY" http:\/\/127\.0\.0\.1:4434\/admin\/courier\/messages$/m,
    )
    assert.doesNotMatch(text, /curl -s http:\/\/127\.0\.0\.1:4434/)
  })
})
