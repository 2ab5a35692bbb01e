import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import type { Check } from '../../../../deploy/cli/doctor/check.ts'
import { dnsChecks } from '../../../../deploy/cli/doctor/dns-checks.ts'
import { openTxtReader } from '../../../../deploy/cli/doctor/dns-records.ts'
import { openDnsServer } from '../../../support/dns-server.ts'

const DOMAIN = 'mail.example.org'
const SPF = 'v=spf1 ip4:192.0.2.1 -all'

function rsa(modulusLength: number): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength })
  return `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
}

/** What is said of `DOMAIN` by a real name server with these records. */
async function checks(
  records: Record<string, readonly string[]>,
  selectors: readonly string[] = [],
): Promise<Record<string, Check>> {
  await using server = await openDnsServer(records)
  const found = await dnsChecks({ domain: DOMAIN, selectors, readTxt: openTxtReader(server.address) })
  return Object.fromEntries(found.map((check) => [check.check, check]))
}

async function statuses(records: Record<string, readonly string[]>, selectors: readonly string[] = []) {
  return Object.values(await checks(records, selectors)).map(({ status }) => status)
}

describe('dnsChecks', () => {
  it('is content with a domain that has all three, with a key of more than one part', async () => {
    const good = {
      [DOMAIN]: ['unrelated', SPF],
      [`s1._domainkey.${DOMAIN}`]: [rsa(2_048)],
      [`_dmarc.${DOMAIN}`]: ['v=DMARC1; p=reject'],
    }
    assert.deepEqual(await statuses(good), ['ok', 'ok', 'ok'])
    assert.match((await checks(good, ['s1']))['dns.dkim']?.detail ?? '', /RSA of 2048 bits/)
  })

  it('fails without SPF and only warns without the others, each with what to publish', async () => {
    const found = await checks({})
    assert.deepEqual(
      Object.values(found).map(({ status }) => status),
      ['fail', 'warn', 'warn'],
    )
    assert.match(found['dns.spf']?.remedy ?? '', /TXT record at mail\.example\.org: v=spf1 include:/)
    assert.match(found['dns.dkim']?.remedy ?? '', /--dkim-selector/)
    assert.match(found['dns.dmarc']?.remedy ?? '', /_dmarc\.mail\.example\.org: v=DMARC1/)
  })

  for (const [what, records, status, detail] of [
    ['two records', { [DOMAIN]: [SPF, SPF] }, 'fail', /2 SPF records/],
    ['a record that lets everybody send', { [DOMAIN]: ['v=spf1 +all'] }, 'fail', /everybody/],
    ['a record without an end', { [DOMAIN]: ['v=spf1 ip4:192.0.2.1'] }, 'warn', /says nothing/],
    [
      'an include without a record',
      { [DOMAIN]: ['v=spf1 include:gone.example.net ~all'] },
      'fail',
      /gone\.example\.net/,
    ],
    [
      'too many look-ups behind an include',
      {
        [DOMAIN]: ['v=spf1 include:many.example.net ~all'],
        'many.example.net': [`v=spf1 ${'a:host.example.net '.repeat(10)}~all`],
      },
      'fail',
      /11 look-ups/,
    ],
  ] as const)
    it(`judges SPF: ${what}`, async () => {
      const { 'dns.spf': spf } = await checks(records)
      assert.equal(spf?.status, status)
      assert.match(spf.detail, detail)
      assert.ok(spf.remedy)
    })

  for (const [what, record, status] of [
    ['revoked', 'v=DKIM1; p=', 'fail'],
    ['too short to be believed', rsa(768), 'fail'],
    ['short', rsa(1_024), 'warn'],
    ['mistyped', 'v=DKIM1; p=AAAA', 'fail'],
    ['Ed25519', 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=', 'ok'],
  ] as const)
    it(`judges a key of DKIM: ${what}`, async () => {
      const found = await checks({ [`own._domainkey.${DOMAIN}`]: [record] }, ['own'])
      assert.equal(found['dns.dkim']?.status, status)
    })

  it('fails where a selector that was named has no key, whatever others have', async () => {
    const found = await checks({ [`s1._domainkey.${DOMAIN}`]: [rsa(2_048)] }, ['s1', 'own'])
    assert.equal(found['dns.dkim']?.status, 'fail')
    assert.match(found['dns.dkim'].detail, /own\._domainkey/)
  })

  it('takes the DMARC policy of the domain above, and warns of one that lets forged mail through', async () => {
    const parent = await checks({ '_dmarc.example.org': ['v=DMARC1; p=none; sp=quarantine'] })
    assert.equal(parent['dns.dmarc']?.status, 'ok')
    assert.equal((await checks({ [`_dmarc.${DOMAIN}`]: ['v=DMARC1; p=none'] }))['dns.dmarc']?.status, 'warn')
  })

  it('warns, and does not fail, where no name server answers', async () => {
    const readTxt = openTxtReader('127.0.0.1:1')
    const found = await dnsChecks({ domain: DOMAIN, selectors: ['s1'], readTxt })
    assert.ok(found.every(({ status, detail }) => status === 'warn' && detail.startsWith('no answer')))
  })
})
