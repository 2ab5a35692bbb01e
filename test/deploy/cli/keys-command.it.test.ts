import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { openAuthenticator } from '../../../services/console/keys/authenticate.ts'
import { testDatabase } from '../../support/servers.ts'
import { runCli } from './run-cli.ts'

describe('postrider keys', () => {
  it('makes a key on the database itself, lists and revokes it', async (t) => {
    const { url } = await testDatabase(t)
    await using database = openDatabase({ url, applicationName: 'test', max: 1 })
    const { byToken } = openAuthenticator(database, '')
    const keys = (...args: string[]) => runCli(['keys', ...args], { env: { DATABASE_URL: url } })

    const made = await keys('create', '--name', 'ops', '--role', 'admin')
    assert.equal(made.code, 0, made.stderr)
    const token = made.stdout.trim()
    assert.match(token, /^pr_[0-9a-f]{12}_[0-9a-f]{64}$/)
    assert.ok(!made.stderr.includes(token))
    assert.equal((await byToken(token))?.role, 'admin')

    const args = [
      '--name',
      'shop',
      '--role',
      'sender',
      '--project',
      'default',
      '--expires-in',
      '1h',
      '--format',
      'json',
    ]
    const bound = JSON.parse((await keys('create', ...args)).stdout)
    assert.equal((await byToken(bound.token))?.project?.slug, 'default')
    assert.ok(Date.parse(bound.expires_at) > Date.now())

    const listed = await keys('list', '--format', 'json')
    assert.deepEqual(
      JSON.parse(listed.stdout).map(({ name, role }: { name: string; role: string }) => [name, role]),
      [
        ['shop', 'sender'],
        ['ops', 'admin'],
      ],
    )
    assert.ok(!listed.stdout.includes(token.slice(-64)))
    assert.match((await keys('list')).stdout, /^ID +NAME +ROLE .*\n[0-9a-f]{12} +shop +sender +default /)

    assert.equal((await keys('revoke', bound.id)).code, 0)
    assert.equal(await byToken(bound.token), undefined)
    const unknown = await keys('revoke', 'ffffffffffff')
    assert.deepEqual([unknown.code, unknown.stderr], [1, 'postrider: There is no such key.\n'])
  })

  it('works on the database of a running postrider up', async (t) => {
    const { url } = await testDatabase(t)
    const home = await mkdtemp(join(tmpdir(), 'postrider-keys-'))
    t.after(() => rm(home, { recursive: true }))
    const { port } = new URL(url)
    const processes = [
      { service: 'postgres', instance: 'postgres', pid: process.pid, ports: { postgres: Number(port) } },
    ]
    const run = { pid: process.pid, startedAt: '2026-01-01T00:00:00Z', urls: {}, processes }
    await writeFile(join(home, 'run.json'), JSON.stringify(run))
    await writeFile(join(home, 'postgres.json'), JSON.stringify({ password: 'of nobody', folder: 'x' }))
    const { code, stderr } = await runCli(['keys', 'list'], { env: { POSTRIDER_HOME: home } })
    assert.equal(code, 1)
    assert.match(stderr, /password authentication failed/, 'it was asked, and knows another password')
  })

  it('tells what is wrong and exits 2, or 1 where no database is named', async () => {
    for (const args of [['create'], ['create', '--name', 'x', '--role', 'root'], ['revoke']])
      assert.equal((await runCli(['keys', ...args])).code, 2)
    const { code, stderr } = await runCli(['keys', 'list'])
    assert.equal(code, 1)
    assert.match(stderr, /set DATABASE_URL/)
  })
})
