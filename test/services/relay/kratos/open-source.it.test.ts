import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pino from 'pino'
import { openDatabase } from '#libs/database'
import { isCoded } from '#libs/errors'
import { type KratosSource, openSource } from '../../../../services/relay/kratos/open-source.ts'
import { parseDsn } from '../../../../services/relay/kratos/parse-dsn.ts'
import { freePort, testDatabase, waitFor } from '../../../support/servers.ts'
import { openKratos } from './kratos-tables.ts'

function open(
  dsn: string,
  stopping = new AbortController().signal,
  onLine: (line: string) => void = () => undefined,
): Promise<KratosSource | undefined> {
  const log = pino({}, { write: onLine })
  return openSource({ dsn: parseDsn(dsn), applicationName: 'test', log, stopping })
}

describe('openSource', () => {
  it('finds the tables on the search path of the DSN, and adds nothing but a schema of its own', async (t) => {
    const { url } = await testDatabase(t, { empty: true })
    await using owner = openDatabase({ url, applicationName: 'test', max: 2 })
    await owner.query({ text: 'create schema kratos' })
    await using inSchema = openDatabase({ url, applicationName: 'test', settings: { search_path: 'kratos' } })
    await openKratos(inSchema)
    const objects = `select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                     where nspname not in ('pg_catalog', 'pg_toast', 'information_schema', 'postrider_kratos')`
    const before = await owner.query({ text: objects })

    for (let start = 0; start < 2; start++) {
      await using source = await open(`${url}?search_path=kratos&max_conns=5`)
      assert.deepEqual(source?.columns, { channel: true, request_headers: true })
    }
    assert.deepEqual((await owner.query({ text: objects })).rows, before.rows)
    const references = `select from pg_constraint where contype = 'f' and (conrelid::regclass::text like 'postrider_kratos%'
                        or confrelid::regclass::text like 'postrider_kratos%')`
    assert.equal((await owner.query({ text: references })).rowCount, 0)
  })

  it('refuses a database that is not of Kratos, naming what is missing and what to do', async (t) => {
    const { url } = await testDatabase(t, { empty: true })
    await assert.rejects(open(url), /found no table courier_messages, .*kratos migrate sql/)
    await using database = openDatabase({ url, applicationName: 'test' })
    await openKratos(database)
    await database.query({ text: 'alter table courier_messages drop column send_count' })
    await assert.rejects(open(url), /found courier_messages without send_count/)
  })

  it('waits for a database that is away, until it is told to stop', async () => {
    const stop = new AbortController()
    const lines: string[] = []
    const dsn = `postgres://kratos:s3cret@127.0.0.1:${await freePort()}/kratos`
    const opening = open(dsn, stop.signal, (line) => lines.push(line))
    await waitFor(() => lines.length > 0)
    stop.abort()
    assert.equal(await opening, undefined)
    assert.ok(!lines.join().includes('s3cret'))
  })

  it('gives up on a database that stays away longer than it may, and tells the way to mend it', async () => {
    const port = await freePort()
    const log = pino({ level: 'silent' })
    const dsn = parseDsn(`postgres://kratos:s3cret@127.0.0.1:${port}/kratos`)
    const stopping = new AbortController().signal
    await assert.rejects(openSource({ dsn, applicationName: 'test', log, stopping, patienceMs: 1 }), (error: Error) => {
      assert.match(
        error.message,
        /^KRATOS_DSN: the database did not answer within 0\.001 s \(.*ECONNREFUSED.*\); nothing/,
      )
      return isCoded(error, 'RESOURCE_UNAVAILABLE') && !error.message.includes('s3cret')
    })
  })

  it('does not wait where the server says no', async (t) => {
    const { url } = await testDatabase(t, { empty: true })
    const wrong = new URL(url)
    wrong.password = 'not-this-one'
    wrong.username = 'nobody_at_all'
    await assert.rejects(open(wrong.href), /password|role|authentication/i)
  })
})
