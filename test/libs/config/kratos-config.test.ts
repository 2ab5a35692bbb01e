/** A configuration written for Kratos is read as it is. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ignoredKeys } from '#libs/config'
import { load } from './config-file.ts'

const KRATOS = `
version: v1.3.0
dsn: postgres://kratos:secret@postgres:5432/kratos?sslmode=disable
serve:
  public:
    base_url: https://auth.example.org/
    cors: { enabled: true, allowed_origins: ["https://*.example.org"] }
  admin: { base_url: http://kratos:4434/ }
selfservice:
  default_browser_return_url: https://example.org/
  allowed_return_urls: [https://example.org]
  methods:
    password: { enabled: true, config: { min_password_length: 10 } }
    totp: { enabled: true, config: { issuer: Example } }
    lookup_secret: { enabled: true }
    link: { enabled: false }
    code:
      enabled: true
      passwordless_enabled: true
      config: { lifespan: 15m, max_submissions: 5 }
    oidc:
      enabled: true
      config: { providers: [{ id: google, provider: google, client_id: x, client_secret: y }] }
  flows:
    error: { ui_url: https://example.org/error }
    settings: { ui_url: https://example.org/settings, privileged_session_max_age: 15m }
    recovery: { enabled: true, ui_url: https://example.org/recovery, use: code, notify_unknown_recipients: true }
    verification: { enabled: true, lifespan: 1h, after: { default_browser_return_url: https://example.org/ } }
    logout: { after: { default_browser_return_url: https://example.org/login } }
    login: { ui_url: https://example.org/login, lifespan: 10m }
    registration:
      ui_url: https://example.org/registration
      after: { password: { hooks: [{ hook: session }, { hook: show_verification_ui }] } }
log: { level: info, format: json, leak_sensitive_values: false }
tracing: { provider: otel, service_name: kratos }
secrets:
  cookie: [PLEASE-CHANGE-ME-I-AM-VERY-INSECURE]
  cipher: [32-LONG-SECRET-NOT-SECURE-AT-ALL]
ciphers: { algorithm: xchacha20-poly1305 }
hashers: { algorithm: bcrypt, bcrypt: { cost: 8 } }
identity:
  default_schema_id: default
  schemas: [{ id: default, url: file:///etc/config/kratos/identity.schema.json }]
session: { lifespan: 24h, cookie: { persistent: true } }
cookies: { domain: example.org, same_site: Lax }
oauth2_provider: { url: http://hydra:4445 }
feature_flags: { use_continue_with_transitions: true }
clients:
  http: { disallow_private_ip_ranges: true, private_ip_exception_urls: ["http://hooks.internal/*"] }
  web_hook: { header_allowlist: [User-Agent] }
courier:
  message_retries: 8
  delivery_strategy: smtp
  worker: { pull_count: 20, pull_wait: 500ms }
  template_override_path: /etc/config/kratos/templates
  smtp:
    connection_uri: smtps://test:test@mailslurper:1025/?skip_ssl_verify=true
    from_address: hello@example.org
    from_name: Example
    headers: { X-SES-CONFIGURATION-SET: identity }
  channels:
    - id: sms
      type: http
      request_config:
        url: https://api.twilio.com/2010-04-01/Accounts/x/Messages.json
        method: POST
        body: base64://ZnVuY3Rpb24oY3R4KSB7fQ==
        headers: { Content-Type: application/x-www-form-urlencoded }
        auth: { type: basic_auth, config: { user: x, password: y } }
  templates:
    recovery_code:
      valid:
        email:
          subject: file:///etc/config/kratos/subject.gotmpl
          body: { html: https://example.org/body.html.gotmpl, plaintext: base64://eA== }
        sms: { body: { plaintext: file://./sms.gotmpl } }
      invalid: { email: { body: {} } }
watch-courier: true
`

describe('loadConfig', () => {
  it("takes a Kratos configuration and lists what is Kratos' own", () => {
    const config = load(KRATOS)
    assert.deepEqual(ignoredKeys(config), [
      'version',
      'dsn',
      'serve',
      'selfservice.default_browser_return_url',
      'selfservice.allowed_return_urls',
      'selfservice.methods.password',
      'selfservice.methods.totp',
      'selfservice.methods.lookup_secret',
      'selfservice.methods.link.enabled',
      'selfservice.methods.code.enabled',
      'selfservice.methods.code.passwordless_enabled',
      'selfservice.methods.code.config.max_submissions',
      'selfservice.methods.oidc',
      'selfservice.flows.error',
      'selfservice.flows.settings',
      'selfservice.flows.recovery.enabled',
      'selfservice.flows.recovery.ui_url',
      'selfservice.flows.recovery.use',
      'selfservice.flows.verification.enabled',
      'selfservice.flows.verification.lifespan',
      'selfservice.flows.verification.after',
      'selfservice.flows.logout',
      'selfservice.flows.login',
      'selfservice.flows.registration',
      'log',
      'tracing',
      'ciphers',
      'hashers',
      'identity',
      'session',
      'cookies',
      'oauth2_provider',
      'feature_flags',
      'watch-courier',
    ])
  })

  it('keeps what Postrider reads of it', () => {
    const { courier, clients, selfservice, secrets } = load(KRATOS)
    assert.equal(courier.message_retries, 8)
    assert.equal(courier.smtp.connection_uri, 'smtps://test:test@mailslurper:1025/?skip_ssl_verify=true')
    assert.deepEqual(courier.smtp.headers, { 'X-SES-CONFIGURATION-SET': 'identity' })
    assert.deepEqual(courier.channels[0]?.request_config.auth, {
      type: 'basic_auth',
      config: { user: 'x', password: 'y' },
    })
    assert.equal(courier.templates.recovery_code?.valid?.email.body?.plaintext, 'base64://eA==')
    assert.deepEqual(clients.http.private_ip_exception_urls, ['http://hooks.internal/*'])
    assert.deepEqual(clients.web_hook.header_allowlist, ['User-Agent'])
    assert.equal(selfservice.methods.code.config.lifespan, '15m')
    assert.equal(selfservice.flows.recovery.notify_unknown_recipients, true)
    assert.deepEqual(secrets.cipher, ['32-LONG-SECRET-NOT-SECURE-AT-ALL'])
  })
})
