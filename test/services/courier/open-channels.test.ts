import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '#libs/config'
import { isCoded } from '#libs/errors'
import type { SharedRate } from '../../../services/courier/admission/shared-rate.ts'
import { type ChannelTools, openChannels } from '../../../services/courier/open-channels.ts'

const FIRST = 'smtps://first.example.net:465/'
const NEXT = 'smtps://user:password@next.example.net:465/'

/** Nothing is sent here. */
const TOOLS = { clients: parseConfig({}).clients, readsFiles: true } as ChannelTools

function emailOf(connection_uri: string, fallback?: string, prefix?: string) {
  const settings = parseConfig({
    courier: { smtp: { connection_uri } },
    ...(fallback !== undefined && { postrider: { courier: { fallback: { smtp: { connection_uri: fallback } } } } }),
  })
  return openChannels(settings, TOOLS, prefix).get('email')
}

describe('openChannels', () => {
  it('has no next provider unless one is configured', () => {
    const email = emailOf(FIRST)
    assert.deepEqual([email?.key, email?.provider, email?.next], ['email', 'first.example.net', undefined])
  })

  it('puts the next provider behind the first, under a key and with places of its own', () => {
    const email = emailOf(FIRST, NEXT, 'a project/')
    assert.deepEqual([email?.key, email?.provider], ['a project/email', 'first.example.net'])
    assert.deepEqual([email?.next?.key, email?.next?.provider], ['a project/email.next', 'next.example.net'])
    assert.notEqual(email?.next?.port, email?.port)
    assert.deepEqual([email?.next?.port.free, email?.next?.next], [20, undefined])
  })

  it('gives each endpoint a rate of its own, which notices share', () => {
    const keys: string[] = []
    let tokens = 3
    const rateOf = (key: string, perSecond: number): SharedRate => {
      assert.equal(perSecond, 20)
      keys.push(key)
      const nothing = () => undefined
      const allowance = (wanted: number) => Math.min(wanted, tokens)
      return { allowance, started: nothing, onTokens: nothing, close: async () => undefined }
    }
    const settings = parseConfig({
      courier: { smtp: { connection_uri: FIRST } },
      postrider: { courier: { rate: '40/2s', fallback: { smtp: { connection_uri: NEXT } } } },
    })
    const email = openChannels(settings, { ...TOOLS, rateOf }).get('email')
    openChannels(settings, { ...TOOLS, rateOf }, 'a project/')
    assert.deepEqual(keys.sort(), [
      'a project/email.next/next.example.net',
      'a project/email/first.example.net',
      'operator/email.next/next.example.net',
      'operator/email/first.example.net',
    ])
    assert.deepEqual([email?.port.free, email?.reserved], [3, 0])
    tokens = 18
    assert.deepEqual([email?.port.free, email?.reserved], [18, 3])
    tokens = 1_000
    assert.deepEqual([email?.port.free, email?.reserved], [20, 5])
  })

  it('refuses a next provider that cannot be meant', () => {
    assert.throws(
      () => emailOf(FIRST, 'smtps://next.example.net:465/path'),
      (error) => isCoded(error, 'SMTP_URI_INVALID'),
    )
  })
})
