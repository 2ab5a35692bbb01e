import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openReplyReader } from '#libs/smtp'
import { providerIdOf } from '../../../../../services/courier/channels/smtp/provider-id.ts'

function idIn(line: string): string | undefined {
  const reader = openReplyReader()
  reader.push(Buffer.from(`${line}\r\n`))
  const reply = reader.next()
  assert.ok(reply !== undefined && reply !== 'garbage')
  return providerIdOf(reply, 'ada@example.org')
}

describe('providerIdOf', () => {
  for (const [line, expected] of [
    ['250 2.0.0 Ok: queued as 4Bx2zq1Kz', '4Bx2zq1Kz'],
    ['250 2.0.0 Ok: queued as <20260102.1@mail.example>', '20260102.1@mail.example'],
    ['250 Ok 0102018f3c2d-aaaa-bbbb-000000', '0102018f3c2d-aaaa-bbbb-000000'],
    ['250 OK id=1sT2aB-0000Xy-3C', '1sT2aB-0000Xy-3C'],
    ['250 2.6.0 <x@y> [InternalId=1234567890, Hostname=a.b] Queued mail for delivery', '1234567890'],
    ['250 2.0.0 OK  1693487482 a1-20020ac8.123 - gsmtp', 'a1-20020ac8.123'],
    ['250 Great success <2026.1@mg.example>', '2026.1@mg.example'],
    ['250 Great success', undefined],
    ['250 OK: message queued', undefined],
    ['250 Ok', undefined],
    ['250 2.0.0 Ok: queued as <ada@example.org>.1', undefined],
    ['250 Ok <ADA@example.org>', undefined],
  ] as const) {
    it(`reads ${expected} from ${line}`, () => assert.equal(idIn(line), expected))
  }
})
