import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  isSameProjectConfig,
  MASK,
  operatorDocument,
  projectConfigChanges,
  readProjectConfig,
  shownProjectConfig,
} from '#libs/config'
import { isCoded } from '#libs/errors'
import { load } from '../config-file.ts'
import { secretDocument, secretsIn, shownHeadersIn } from './secret-documents.ts'

const TENANT = { isDefault: false }

function mistakes(given: unknown, stored: unknown = {}): string {
  try {
    readProjectConfig(given, stored, TENANT)
  } catch (error) {
    if (isCoded(error, 'CONFIG_INVALID')) return error.message
    throw error
  }
  return ''
}

// biome-ignore lint/suspicious/noExplicitAny: documents are read and changed as a user's script would
type Document = any

function shownOf(stored: unknown): Document {
  return structuredClone(shownProjectConfig(stored, TENANT))
}

describe('shownProjectConfig', () => {
  it('shows what is stored over the defaults, for the keys of a project only', () => {
    const shown = shownOf({ courier: { message_retries: 2 }, postrider: { courier: { rate: '5/1s' } } })
    assert.deepEqual(Object.keys(shown), ['courier', 'clients', 'selfservice', 'postrider'])
    assert.equal(shown.courier.message_retries, 2)
    assert.equal(shown.courier.delivery_strategy, 'smtp')
    assert.deepEqual(Object.keys(shown.postrider), ['courier'])
    const keys = ['rate', 'concurrency', 'retry_schedule', 'on_unknown', 'fallback']
    assert.deepEqual(Object.keys(shown.postrider.courier), keys)
    assert.equal(shown.postrider.courier.rate, '5/1s')
  })

  it('shows dev for the project default only', () => {
    assert.equal('dev' in shownProjectConfig({ dev: true }, TENANT), false)
    assert.equal(shownProjectConfig({ dev: true }, { isDefault: true }).dev, true)
  })

  it('shows the server and hides the credentials of a URI', () => {
    for (const [uri, expected] of [
      [
        'smtps://ada:pw@mail.example.org:465/?skip_ssl_verify=true',
        `smtps://ada:${MASK}@mail.example.org:465/?skip_ssl_verify=true`,
      ],
      ['smtp://token:token@mail.example.org', `smtp://${MASK}:${MASK}@mail.example.org`],
      ['smtp://mail.example.org:25/', 'smtp://mail.example.org:25/'],
      ['smtp://ada:p@ss/w@rd@mail.example.org', MASK],
    ])
      assert.equal(shownOf({ courier: { smtp: { connection_uri: uri } } }).courier.smtp.connection_uri, expected)
  })

  it('never shows a secret, wherever one may stand', () => {
    let secrets = 0
    fc.assert(
      fc.property(secretDocument, (document) => {
        secrets += secretsIn(document).length
        assert.deepEqual(secretsIn(shownOf(document)), [])
      }),
    )
    assert.ok(secrets > 100)
  })

  it('shows how a body is written: Content-Type and Accept, however they are spelt', () => {
    let headers = 0
    fc.assert(
      fc.property(secretDocument, (document) => {
        const found = shownHeadersIn(document).sort()
        headers += found.length
        assert.deepEqual(shownHeadersIn(shownOf(document)).sort(), found)
      }),
    )
    assert.ok(headers > 50)
  })
})

describe('readProjectConfig', () => {
  it('takes back what was shown, with every secret and without a difference', () => {
    fc.assert(
      fc.property(secretDocument, (document) => {
        const stored = readProjectConfig(document, {}, TENANT).document
        assert.deepEqual(secretsIn(stored), secretsIn(document))
        const again = readProjectConfig(shownOf(stored), stored, TENANT)
        assert.deepEqual(again.document, stored)
        assert.ok(isSameProjectConfig(again.document, document, TENANT))
        assert.deepEqual(again.ignored, [])
      }),
    )
  })

  it('does not store what the defaults say anyway', () => {
    const shown = shownOf({})
    shown.courier.message_retries = 3
    assert.deepEqual(readProjectConfig(shown, {}, TENANT).document, { courier: { message_retries: 3 } })
  })

  const stored = {
    courier: {
      delivery_strategy: 'http',
      smtp: {
        connection_uri: 'smtp://ada:s3c-mailpassword@mail.example.org:587/',
        headers: { 'X-Key': 's3c-mailheader0' },
      },
      http: {
        request_config: {
          url: 'https://hooks.example.org/a?key=s3c-querysecret',
          headers: { 'X-Key': 's3c-headersecre' },
          auth: { type: 'basic_auth', config: { user: 'ada', password: 's3c-basicpasswo' } },
        },
      },
      channels: [
        {
          id: 'sms',
          request_config: {
            url: 'https://sms.example.org/',
            auth: { type: 'api_key', config: { name: 'X', value: 's3c-smskeysecret' } },
          },
        },
      ],
    },
  }

  it('keeps a secret while only the rest of its target changes', () => {
    const next = shownOf(stored)
    next.courier.smtp.connection_uri = `smtp://grace:${MASK}@MAIL.example.org/?skip_ssl_verify=true`
    next.courier.http.request_config.url = `https://hooks.example.org:443/b?mode=x&key=${MASK}`
    const { document } = readProjectConfig(next, stored, TENANT) as { document: Document }
    assert.equal(
      document.courier.smtp.connection_uri,
      'smtp://grace:s3c-mailpassword@MAIL.example.org/?skip_ssl_verify=true',
    )
    assert.equal(document.courier.http.request_config.url, 'https://hooks.example.org:443/b?mode=x&key=s3c-querysecret')
    assert.deepEqual(document.courier.http.request_config.auth, stored.courier.http.request_config.auth)
  })

  it('refuses to send a stored secret elsewhere, and names the keys', () => {
    const uri = 'courier.smtp.connection_uri'
    const header = 'courier.smtp.headers.X-Key'
    const http = ['headers.X-Key', 'auth.config.user', 'auth.config.password'].map(
      (key) => `courier.http.request_config.${key}`,
    )
    for (const [change, keys] of [
      [
        (next: Document) => {
          next.courier.smtp.connection_uri = `smtp://ada:${MASK}@evil.example/`
        },
        [uri, header],
      ],
      [
        (next: Document) => {
          next.courier.smtp.connection_uri = `smtps://ada:${MASK}@mail.example.org:587/`
        },
        [uri, header],
      ],
      [
        (next: Document) => {
          next.courier.smtp.connection_uri = `smtp://ada:${MASK}@mail.example.org:25/`
        },
        [uri, header],
      ],
      [
        (next: Document) => {
          next.courier.smtp.connection_uri = `smtp://ada:${MASK}@evil.example@mail.example.org:587/`
        },
        [uri],
      ],
      [
        (next: Document) => {
          next.courier.smtp.connection_uri = 'smtp://ada:new@evil.example/'
        },
        [header],
      ],
      [
        (next: Document) => {
          delete next.courier.smtp.connection_uri
        },
        [header],
      ],
      [
        (next: Document) => {
          next.courier.http.request_config.url = 'https://evil.example/'
        },
        http,
      ],
      [
        (next: Document) => {
          next.courier.http.request_config.url = 'https://hooks.example.org:8443/'
        },
        http,
      ],
      [
        (next: Document) => {
          next.courier.http.request_config.url = 'http://hooks.example.org/'
        },
        http,
      ],
      [
        (next: Document) => {
          next.courier.http.request_config.url = 'https://evil.example\\@hooks.example.org/'
        },
        http,
      ],
      [
        (next: Document) => {
          next.courier.channels[0].request_config.url = 'https://evil.example/'
        },
        ['courier.channels.0.request_config.auth.config.value'],
      ],
    ] as const) {
      const next = shownOf(stored)
      change(next)
      const told = mistakes(next, stored)
      const lines = told.split('\n')
      assert.deepEqual(
        lines.map((line) => line.split(': ')[0]),
        keys,
        told,
      )
      for (const line of lines) assert.match(line, /give the secret anew/)
      assert.deepEqual(secretsIn(told), [])
    }
  })

  it('matches channels by id, wherever they stand', () => {
    const other = { id: 'other', request_config: { url: 'https://sms.example.org/', headers: {} } }
    const next = shownOf(stored)
    next.courier.channels.unshift(other)
    // No other id is allowed yet; the secret is found all the same.
    const told = mistakes(next, stored)
    assert.match(told, /^courier\.channels\.0\.id: found "other", allowed sms$/)
  })

  it('takes a mask of Content-Type, which was shown so once, for the stored value', () => {
    const of = (type: string) => ({ courier: { smtp: { headers: { Accept: type } } } })
    assert.deepEqual(readProjectConfig(of(MASK), of('text/plain'), TENANT).document, of('text/plain'))
  })

  it('refuses a mask that nothing stands behind', () => {
    for (const [given, key] of [
      [
        { courier: { smtp: { connection_uri: `smtp://ada:${MASK}@mail.example.org/` } } },
        'courier.smtp.connection_uri',
      ],
      [{ courier: { smtp: { headers: { 'X-New': MASK } } } }, 'courier.smtp.headers.X-New'],
      [{ courier: { smtp: { headers: { 'X-New': `Bearer ${MASK}` } } } }, 'courier.smtp.headers.X-New'],
    ] as const)
      assert.match(mistakes(given), new RegExp(`^${key}: found .*give the secret anew`))
    const next = shownOf(stored)
    next.courier.http.request_config.auth = { type: 'api_key', config: { name: 'X', value: MASK, in: 'header' } }
    assert.match(mistakes(next, stored), /auth\.config\.value: found \*{8}, .* none is stored/)
  })

  it('leaves out what belongs to processes or to Kratos, and tells the keys', () => {
    const given = {
      dsn: 'postgres://user:s3c-dsnpassword0@db/x',
      dev: true,
      secrets: { cipher: ['s3c-ciphersecret'] },
      session: { lifespan: '1h' },
      courier: { message_retries: 3 },
      selfservice: { default_browser_return_url: 'https://example.org/' },
      postrider: { kafka: { brokers: ['kafka:9092'] }, courier: { window: 5, rate: '9/1s' } },
    }
    const { document, ignored } = readProjectConfig(given, {}, TENANT)
    assert.deepEqual(document, { courier: { message_retries: 3 }, postrider: { courier: { rate: '9/1s' } } })
    assert.deepEqual([...ignored].sort(), [
      'dev',
      'dsn',
      'postrider.courier.window',
      'postrider.kafka',
      'secrets',
      'selfservice.default_browser_return_url',
      'session',
    ])
    const ofDefault = readProjectConfig(given, {}, { isDefault: true })
    assert.equal(ofDefault.document.dev, true)
  })

  it('tells every mistake by its key, and no secret', () => {
    const told = mistakes({
      courier: {
        delivery: 'smtp',
        message_retries: 'many',
        smtp: { connection_uri: 's3c-mailpassword', headers: { 'X-Key': 5 } },
        channels: [{ id: 'sms', request_config: { url: 's3c-urlpassword0' } }],
      },
      postrider: { courier: { rate: 'fast' } },
    })
    for (const key of [
      'courier.delivery',
      'courier.message_retries',
      'courier.smtp.connection_uri',
      'courier.smtp.headers.X-Key',
      'courier.channels.0.request_config.url',
      'postrider.courier.rate',
    ])
      assert.ok(
        told.split('\n').some((line) => line.startsWith(`${key}: `)),
        `${key} in ${told}`,
      )
    assert.deepEqual(secretsIn(told), [])
  })

  it('refuses URIs that name no server', () => {
    for (const uri of [
      'smtp://ada:p@ss/w@mail.example.org',
      'smtp://:25/',
      'smtp://a b',
      'smtp://mail:99999/',
      'smtp://ada:100%@mail/',
    ])
      assert.match(mistakes({ courier: { smtp: { connection_uri: uri } } }), /^courier\.smtp\.connection_uri: found/)
    for (const uri of ['smtp://mail', 'smtps://ada%40x:p%40ss@[::1]:465/?server_name=x', 'smtp://bücher.example:25'])
      assert.equal(mistakes({ courier: { smtp: { connection_uri: uri } } }), '')
    const request_config = { url: 'https://:80/' }
    assert.match(mistakes({ courier: { http: { request_config } } }), /^courier\.http\.request_config\.url: found/)
  })
})

describe('projectConfigChanges', () => {
  it('names what was added, removed and changed, key by key', () => {
    const before = { courier: { smtp: { from_name: 'Ada' }, message_retries: 2 } }
    const after = {
      courier: { message_retries: 3, channels: [{ id: 'sms', request_config: { url: 'https://sms.example.org/' } }] },
    }
    const changes = projectConfigChanges(before, after, TENANT)
    assert.deepEqual(
      changes.find(({ path }) => path === 'courier.message_retries'),
      {
        path: 'courier.message_retries',
        before: 2,
        after: 3,
      },
    )
    assert.deepEqual(
      changes.find(({ path }) => path === 'courier.smtp.from_name'),
      {
        path: 'courier.smtp.from_name',
        before: 'Ada',
      },
    )
    assert.deepEqual(
      changes.find(({ path }) => path === 'courier.channels.sms.request_config.url'),
      {
        path: 'courier.channels.sms.request_config.url',
        after: 'https://sms.example.org/',
      },
    )
    assert.deepEqual(projectConfigChanges(before, structuredClone(before), TENANT), [])
  })

  it('shows that a secret changed, and neither of the two', () => {
    const of = (password: string) => ({ courier: { smtp: { connection_uri: `smtp://a:${password}@mail/` } } })
    const shown = `smtp://a:${MASK}@mail/`
    assert.deepEqual(projectConfigChanges(of('one'), of('two'), TENANT), [
      { path: 'courier.smtp.connection_uri', before: shown, after: shown },
    ])
    fc.assert(
      fc.property(secretDocument, secretDocument, (before, after) => {
        assert.deepEqual(secretsIn(projectConfigChanges(before, after, TENANT)), [])
      }),
    )
  })
})

describe('operatorDocument', () => {
  it('is what file and environment set of the project default, without defaults and secrets of processes', () => {
    const text =
      'dsn: x\nsecrets:\n  cipher: [a-secret-of-16-or-more]\ncourier:\n  smtp:\n    from_name: Ada\npostrider:\n  courier: { window: 9 }\n'
    const env = { COURIER_MESSAGE_RETRIES: '7', POSTRIDER_MAILBOX_SMTP_PORT: '4425', DEV: 'true' }
    assert.deepEqual(operatorDocument(load(text, env)), {
      courier: { smtp: { from_name: 'Ada' }, message_retries: 7 },
      dev: true,
    })
  })
})
