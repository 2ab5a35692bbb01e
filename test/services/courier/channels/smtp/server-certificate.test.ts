import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PeerCertificate } from 'node:tls'
import { serverCertificate } from '../../../../../services/courier/channels/smtp/server-certificate.ts'

const NOW = Date.UTC(2026, 0, 15)
const VALID = {
  valid_from: 'Jan  1 00:00:00 2026 GMT',
  valid_to: 'Jan 31 00:00:00 2026 GMT',
  subject: { CN: 'cn.example' },
}

function read(more: object): ReturnType<typeof serverCertificate> {
  return serverCertificate({ ...VALID, ...more } as unknown as PeerCertificate, NOW)
}

describe('serverCertificate', () => {
  it('gives the first names, and the common name only where there are none', () => {
    const subjectaltname = 'DNS:a.example, DNS:*.b.example, IP Address:192.0.2.1, DNS:c.example'
    assert.deepEqual(read({ subjectaltname }), { names: ['a.example', '*.b.example', '192.0.2.1'] })
    assert.deepEqual(read({}), { names: ['cn.example'] })
    assert.deepEqual(read({ subject: undefined }), { names: [] })
  })

  it('leaves out what is no name, since anyone can write anything into a certificate', () => {
    const subjectaltname = 'DNS:"a, b", DNS:x\u0000.example, URI:http://x.example, email:ada@example.org'
    assert.deepEqual(read({ subjectaltname, subject: { CN: 'Ada <ada@example.org>\n' } }), { names: [] })
  })

  it('gives the day that matters', () => {
    assert.deepEqual(read({ valid_to: 'Jan 14 23:59:59 2026 GMT' }).expiredOn, '2026-01-14')
    assert.deepEqual(read({ valid_from: 'Jan 16 00:00:00 2026 GMT' }).validFrom, '2026-01-16')
  })

  it('says nothing of a certificate that Node did not give', () => {
    assert.deepEqual(serverCertificate({} as PeerCertificate, NOW), { names: [] })
  })
})
