import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDsn } from '../../../../services/relay/kratos/parse-dsn.ts'

const BASE = 'postgres://kratos:s%40crt@db:5432/kratos'

describe('parseDsn', () => {
  it("leaves out what is of Kratos' pool and driver", () => {
    const { urls } = parseDsn(
      `${BASE}?sslmode=disable&max_conns=20&max_idle_conns=4&max_conn_lifetime=10m&max_conn_idle_time=1m&pool_max_conns=3`,
    )
    assert.deepEqual(urls, [`${BASE}?sslmode=disable`])
  })

  for (const [query, modes] of [
    ['', ['no-verify', 'disable']],
    ['?sslmode=prefer', ['no-verify', 'disable']],
    ['?sslmode=allow', ['disable', 'no-verify']],
    ['?sslmode=require', ['no-verify']],
    ['?sslmode=require&sslrootcert=/ca.pem', ['require']],
    ['?sslmode=verify-full', ['verify-full']],
  ] as const) {
    it(`encrypts as Kratos does for ${query || 'no sslmode'}`, () => {
      const found = parseDsn(BASE + query).urls.map((url) => new URL(url).searchParams.get('sslmode'))
      assert.deepEqual(found, modes)
    })
  }

  it('tells where the tables are', () => {
    assert.equal(parseDsn(`${BASE}?search_path=kratos, public`).searchPath, 'kratos,public')
    assert.equal(parseDsn(BASE).searchPath, undefined)
  })

  it('refuses other databases and mistakes without repeating the DSN', () => {
    for (const [dsn, reason] of [
      ['mysql://kratos:s3cret@tcp(db)/kratos', /found mysql, allowed postgres/],
      ['cockroach://kratos:s3cret@db/kratos', /found cockroach/],
      ['memory', /found no scheme/],
      ['postgres://kratos:s3cret@db:port/kratos', /percent-encode/],
      [`${BASE}?sslmode=s3cret`, /sslmode: allowed disable, /],
    ] as const) {
      assert.throws(
        () => parseDsn(dsn),
        (error: Error) => reason.test(error.message) && !error.message.includes('s3cret'),
      )
    }
  })
})
