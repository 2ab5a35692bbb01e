import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Check } from '../../../deploy/cli/doctor/check.ts'
import { openConsole } from '../../services/console/open-console.ts'
import { openDnsServer } from '../../support/dns-server.ts'
import { databaseUrl, testDatabase, testKafka } from '../../support/servers.ts'
import { openSmtpSink } from '../../support/smtp-sink.ts'
import { runCli } from './run-cli.ts'

const MIGRATE = fileURLToPath(new URL('../../../db/migrate.ts', import.meta.url))
const NOWHERE = 'http://127.0.0.1:1'
const SECRET = 'a secret that nobody must see'

async function doctor(env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await runCli(['doctor', '--format', 'json', ...args], { env })
  const checks = JSON.parse(stdout) as Check[]
  return { code, stderr, stdout, of: (name: string) => checks.find(({ check }) => check === name) }
}

describe('postrider doctor', () => {
  it('finds topics that are missing, or other than configured, and makes none', async (t) => {
    const { url } = await testDatabase(t)
    const { brokers, prefix } = testKafka()
    const env = {
      DATABASE_URL: url,
      KAFKA_BROKERS: brokers,
      POSTRIDER_KAFKA_TOPIC_PREFIX: prefix,
      POSTRIDER_KAFKA_REPLICATION: '1',
      SECRETS_CIPHER: SECRET,
      POSTRIDER_URL: NOWHERE,
    }
    for (const _ of ['first', 'again']) {
      const { code, of } = await doctor(env)
      assert.equal(code, 1)
      assert.equal(of('kafka.topics')?.status, 'fail')
      assert.match(of('kafka.topics')?.detail ?? '', /missing: .*courier\.messages\.v1.*courier\.dead-letter\.v1/)
      assert.match(of('kafka.topics')?.remedy ?? '', /postrider migrate/)
    }

    await promisify(execFile)(process.execPath, [MIGRATE], { env: { PATH: process.env.PATH, ...env } })
    const { of, stdout } = await doctor(env)
    assert.equal(of('kafka.topics')?.status, 'ok', of('kafka.topics')?.detail)
    assert.deepEqual(
      ['database.reachable', 'database.migrations', 'database.clock', 'database.backlog'].map(
        (name) => of(name)?.status,
      ),
      ['ok', 'ok', 'ok', 'ok'],
    )
    assert.equal(of('secrets.cipher')?.status, 'ok')
    assert.equal(of('kafka.replication')?.status, 'warn')
    assert.equal(of('console')?.status, 'fail', 'it does not answer')
    assert.ok(!stdout.includes(SECRET))

    const other = await doctor({ ...env, POSTRIDER_KAFKA_PARTITIONS: '16', POSTRIDER_KAFKA_RETENTION_STATUS: '48h' })
    assert.equal(other.of('kafka.topics')?.status, 'fail')
    assert.match(other.of('kafka.topics')?.detail ?? '', /partitions is 8, configured is 16.*retention\.ms/)
  })

  it('finds a wrong password, a database without tables and one that is not there, without printing credentials', async (t) => {
    const { url } = await testDatabase(t, { empty: true })
    const wrong = new URL(url)
    wrong.password = 'wrong-and-secret'
    const env = { KAFKA_BROKERS: '127.0.0.1:1', POSTRIDER_URL: NOWHERE }
    const [refused, empty, missing] = await Promise.all(
      [wrong.href, url, databaseUrl(url, 'nobody_made_this')].map((DATABASE_URL) => doctor({ ...env, DATABASE_URL })),
    )
    assert.match(refused?.of('database.reachable')?.detail ?? '', /password authentication failed/)
    assert.match(refused?.of('database.reachable')?.remedy ?? '', /password/)
    assert.equal(refused?.of('database.migrations')?.status, 'skip')
    assert.ok(!`${refused?.stdout}${refused?.stderr}`.includes('wrong-and-secret'))
    assert.equal(empty?.of('database.migrations')?.status, 'fail')
    assert.match(empty?.of('database.migrations')?.remedy ?? '', /postrider migrate/)
    assert.match(missing?.of('database.reachable')?.remedy ?? '', /Create the database/)
    assert.equal(refused?.of('kafka.reachable')?.status, 'fail')
    assert.match(refused?.of('kafka.reachable')?.remedy ?? '', /KAFKA_BROKERS/)
    assert.equal(refused?.of('secrets.cipher')?.status, 'fail')
  })

  it("finds a provider's wrong password and a sender without SPF, of the project that was named", async () => {
    await using sink = await openSmtpSink({ auth: { user: 'shop', password: 'right', mechanisms: ['PLAIN'] } })
    await using dns = await openDnsServer({})
    await using console = await openConsole()
    const uri = (password: string) => `smtp://shop:${password}@127.0.0.1:${sink.port}/?disable_starttls=true`
    const config = (password: string) => ({
      courier: { smtp: { connection_uri: uri(password), from_address: 'no-reply@shop.example.org' } },
    })
    const project = { name: 'Shop', slug: 'shop', identity_config: config('sesame-wrong') }
    assert.equal((await console.request('POST', '/projects', project)).status, 201)
    const env = { POSTRIDER_URL: console.url, POSTRIDER_DNS: dns.address, KAFKA_BROKERS: '127.0.0.1:1' }

    const wrong = await doctor(env, '--project', 'shop')
    assert.equal(wrong.code, 1)
    assert.deepEqual(
      ['provider.connect', 'provider.ehlo', 'provider.auth'].map((name) => wrong.of(name)?.status),
      ['ok', 'ok', 'fail'],
    )
    assert.ok(wrong.of('provider.auth')?.remedy)
    assert.equal(wrong.of('dns.spf')?.status, 'fail')
    assert.match(wrong.of('dns.spf')?.detail ?? '', /shop\.example\.org/)
    assert.ok(!wrong.stdout.includes('sesame-wrong'))

    await console.request('PUT', '/projects/shop/identity-config', config('right'))
    assert.equal((await doctor(env, '--project', 'shop')).of('provider.auth')?.status, 'ok')
    assert.equal(sink.accepted(), 0, 'no mail is sent')

    const unknown = await doctor(env, '--project', 'nobody', '--domain', 'other.example.org')
    assert.match(unknown.of('project')?.detail ?? '', /no project nobody/)
    assert.match(unknown.of('dns.spf')?.detail ?? '', /other\.example\.org/)
  })

  it('prints a table with remedies', async () => {
    const { code, stdout } = await runCli(['doctor'], { env: { POSTRIDER_URL: NOWHERE, KAFKA_BROKERS: '127.0.0.1:1' } })
    assert.equal(code, 1)
    assert.match(stdout, /^STATUS +CHECK +DETAIL\n/)
    assert.match(stdout, /^fail +database\.reachable +no database is named.*\n +→ Set DATABASE_URL/m)
    assert.match(stdout, /\d+ ok, \d+ warnings, [1-9]\d* failed, \d+ skipped\n$/)
  })
})
