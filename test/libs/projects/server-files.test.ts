import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '#libs/config'
import { serverFiles } from '#libs/projects'

describe('serverFiles', () => {
  it('are none where everything is inline or on the web', () => {
    const email = { subject: 'base64://SGk=', body: { plaintext: 'https://example.org/file://x' } }
    const courier = {
      delivery_strategy: 'http',
      http: { request_config: { url: 'https://example.org/', body: 'base64://e30=' } },
      templates: { recovery: { valid: { email } } },
    }
    assert.deepEqual(serverFiles(parseConfig({ courier })), [])
  })

  it('are named by their keys, wherever they are', () => {
    const courier = {
      template_override_path: '/etc/postrider/templates',
      smtp: { client_cert_path: '/etc/tls/client.pem', client_key_path: '/etc/tls/client.key' },
      http: { request_config: { url: 'https://example.org/', body: 'file:///etc/passwd' } },
      channels: [{ id: 'sms', request_config: { url: 'https://example.org/', body: 'file://body.jsonnet' } }],
      templates: {
        recovery_code: { valid: { email: { subject: 'file://subject', body: { html: 'file:///html' } } } },
        verifiable_address_changed: { email: { subject: 'base64://SGk=' }, sms: { body: { plaintext: 'file://sms' } } },
      },
    }
    assert.deepEqual(serverFiles(parseConfig({ courier })), [
      'courier.template_override_path',
      'courier.smtp.client_cert_path',
      'courier.smtp.client_key_path',
      'courier.http.request_config.body',
      'courier.channels[0].request_config.body',
      'courier.templates.recovery_code.valid.email.subject',
      'courier.templates.recovery_code.valid.email.body.html',
      'courier.templates.verifiable_address_changed.sms.body.plaintext',
    ])
  })
})
