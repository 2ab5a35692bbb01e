import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChannelReport } from '../../../services/courier/channel-repository.ts'
import { type BlockedChannel, blockedChannels, openChannelReporter } from '../../../services/courier/report-channels.ts'
import type { SelectedChannel } from '../../../services/courier/select-channel.ts'
import { memoryChannel, selected } from './deliveries.ts'

const BLOCKED: BlockedChannel = {
  projectId: undefined,
  exceptFor: [],
  channel: 'email',
  blockage: {
    failure: { class: 'auth', message: 'the password is wrong', replyCode: 535, enhancedCode: '5.7.8' },
    sinceMs: 1_000,
    nextProbeAtMs: 6_000,
  },
}

function setup() {
  const state = { blocked: [] as BlockedChannel[], nowMs: 10_000, isAway: false }
  const told: (readonly ChannelReport[])[] = []
  const report = openChannelReporter({
    blocked: () => state.blocked,
    replaceReports: async (reports) => {
      if (state.isAway) throw new Error('the database is away')
      told.push(reports)
    },
    now: () => state.nowMs,
  })
  return { state, told, report }
}

describe('openChannelReporter', () => {
  it('says nothing while every channel is open', async () => {
    const { told, report } = setup()
    await report()
    await report()
    assert.deepEqual(told, [])
  })

  it('tells what is blocked, once, and that it is open again', async () => {
    const { state, told, report } = setup()
    state.blocked = [BLOCKED]
    await report()
    await report()
    assert.deepEqual(told, [
      [
        {
          projectId: null,
          exceptFor: [],
          channel: 'email',
          class: 'auth',
          replyCode: 535,
          enhancedCode: '5.7.8',
          message: 'the password is wrong',
          since: new Date(1_000),
          nextProbeAt: new Date(6_000),
        },
      ],
    ])
    state.blocked = []
    await report()
    await report()
    assert.deepEqual(told.slice(1), [[]])
  })

  it('tells a new probe at once, and the same again after 5 s, so that it stays fresh', async () => {
    const { state, told, report } = setup()
    state.blocked = [BLOCKED]
    await report()
    state.blocked = [{ ...BLOCKED, blockage: { ...BLOCKED.blockage, nextProbeAtMs: 16_000 } }]
    await report()
    assert.equal(told.length, 2)
    state.nowMs += 4_999
    await report()
    assert.equal(told.length, 2)
    state.nowMs += 1
    await report()
    assert.equal(told.length, 3)
  })

  it('tells at the next call what could not be told', async () => {
    const { state, told, report } = setup()
    state.blocked = [BLOCKED]
    state.isAway = true
    await assert.rejects(report())
    state.isAway = false
    await report()
    assert.equal(told.length, 1)
    state.isAway = true
    state.blocked = []
    await assert.rejects(report())
    state.isAway = false
    await report()
    assert.deepEqual(told[1], [])
  })
})

describe('blockedChannels', () => {
  const working = selected(memoryChannel())
  const sick = selected(memoryChannel(), { blockage: () => BLOCKED.blockage })
  const project = (channels: Record<string, SelectedChannel>) => ({ channels: new Map(Object.entries(channels)) })
  const found = (shared: Record<string, SelectedChannel>, own: Record<string, ReturnType<typeof project>> = {}) =>
    blockedChannels(project(shared).channels, Object.entries(own)).map(({ projectId, channel, exceptFor }) => [
      projectId,
      channel,
      exceptFor,
    ])

  it('are those of the operator, but for projects that have one of the kind themselves', () => {
    assert.deepEqual(found({ email: working }), [])
    assert.deepEqual(found({ email: sick, sms: working }), [[undefined, 'email', []]])
    const projects = { p: project({}), q: project({ email: working }), r: project({ email: working, sms: working }) }
    assert.deepEqual(found({ email: sick, sms: sick }, projects), [
      [undefined, 'email', ['q', 'r']],
      [undefined, 'sms', ['r']],
    ])
  })

  it('are those of a project alone where only its own is blocked', () => {
    assert.deepEqual(found({ email: working }, { p: project({ email: sick }) }), [['p', 'email', []]])
  })

  it('are none where the next provider takes the mail, but those where it is blocked as well', () => {
    assert.deepEqual(found({ email: { ...sick, next: working } }), [])
    assert.deepEqual(found({ email: { ...sick, next: sick } }), [[undefined, 'email', []]])
  })
})
