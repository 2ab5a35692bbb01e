import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Database } from '#libs/database'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { limitOf, openSharedRate, type SharedRate } from '../../../services/courier/admission/shared-rate.ts'
import { type ChannelReport, replaceReports, takeTokens } from '../../../services/courier/channel-repository.ts'
import { waitFor } from '../../support/servers.ts'
import { openLedgers, openTwoLedgers } from './ledgers.ts'

const KEY = 'operator/email/mx.example.net'
const PROJECT = '00000000-0000-7000-8000-0000000000aa'

describe('takeTokens', () => {
  const SLOW = { perSecond: 1e-6, burst: 10 }

  it('grants what a full bucket holds, less where there is less, and then none', async (t) => {
    const { database } = await openLedgers(t)
    assert.equal(await takeTokens(database, KEY, SLOW, 7), 7)
    assert.equal(await takeTokens(database, KEY, SLOW, 7), 3)
    assert.equal(await takeTokens(database, KEY, SLOW, 7), 0)
    assert.equal(await takeTokens(database, 'operator/sms/sms.example.net', SLOW, 7), 7)
  })

  it('takes back what was not used, but no more than the bucket holds', async (t) => {
    const { database } = await openLedgers(t)
    await takeTokens(database, KEY, SLOW, 10)
    await takeTokens(database, KEY, SLOW, -4)
    assert.equal(await takeTokens(database, KEY, SLOW, 10), 4)
    await takeTokens(database, KEY, SLOW, -99)
    assert.equal(await takeTokens(database, KEY, SLOW, 99), 10)
  })

  it('refills with time, up to the burst, and never runs backwards', async (t) => {
    const { database } = await openLedgers(t)
    const move = (seconds: number) =>
      database.query({
        text: `update courier.rate set refilled_at = refilled_at - $1 * interval '1 s'`,
        values: [seconds],
      })
    const limit = { perSecond: 0.001, burst: 10 }
    await takeTokens(database, KEY, limit, 10)
    await move(5_000)
    assert.equal(await takeTokens(database, KEY, limit, 99), 5)
    await move(1_000_000)
    assert.equal(await takeTokens(database, KEY, limit, 99), 10)
    await move(-5_000)
    assert.equal(await takeTokens(database, KEY, limit, 99), 0)
  })

  it('grants many who ask at once no more than there is', async (t) => {
    const { database } = await openLedgers(t)
    const granted = await Promise.all(Array.from({ length: 40 }, () => takeTokens(database, KEY, SLOW, 1)))
    assert.equal(
      granted.reduce((sum, each) => sum + each, 0),
      10,
    )
  })
})

describe('openSharedRate on one bucket', () => {
  const PER_SECOND = 200

  /** Sends whenever it may, as fast as it may. */
  function send(rate: SharedRate, onSent: () => void): void {
    const go = () => {
      while (rate.allowance(20) > 0) {
        rate.started()
        onSent()
      }
    }
    rate.onTokens(go)
    go()
  }

  it('lets two couriers together send as fast as the rate, and never faster', { timeout: 60_000 }, async (t) => {
    const { database } = await openLedgers(t)
    const limit = limitOf(PER_SECOND)
    const errors: unknown[] = []
    const rates = [1, 2].map(() =>
      openSharedRate(limit, {
        take: (wanted) => takeTokens(database, KEY, limit, wanted),
        onError: (error) => errors.push(error),
      }),
    )
    t.after(() => Promise.all(rates.map((rate) => rate.close())))
    const sent: number[] = [0, 0]
    const count = () => sent.reduce((sum, each) => sum + each, 0)
    const startedMs = performance.now()
    const mostNow = () => limit.burst + (PER_SECOND * (performance.now() - startedMs)) / 1_000
    let worst = 0
    for (const [index, rate] of rates.entries())
      send(rate, () => {
        sent[index]! += 1
        worst = Math.max(worst, count() - mostNow())
      })

    // On a machine that was busy for a while, a later stretch shows what the rate is.
    let from = { atMs: startedMs, count: 0 }
    const share = await waitFor(
      () => {
        const seconds = (performance.now() - from.atMs) / 1_000
        if (seconds < 1.5) return undefined
        const reached = (count() - from.count) / (PER_SECOND * seconds)
        from = { atMs: performance.now(), count: count() }
        return reached >= 0.8 ? reached : undefined
      },
      { timeoutMs: 30_000, message: 'the rate is not reached' },
    )
    t.diagnostic(`${(share * 100).toFixed(0)} % of the rate, ${sent.join(' and ')} mails`)
    assert.ok(worst <= 1, `${worst} mails more than the rate allows`)
    assert.ok(
      sent.every((each) => each > 0),
      `one of them sent nothing: ${sent.join(' and ')}`,
    )
    assert.deepEqual(errors, [])
  })
})

describe('replaceReports', () => {
  const report = (more: Partial<ChannelReport> = {}): ChannelReport => ({
    projectId: null,
    exceptFor: [],
    channel: 'email',
    class: 'network',
    replyCode: null,
    enhancedCode: null,
    message: 'nobody answers at mx.example.net',
    since: new Date('2026-01-02T03:04:05.678Z'),
    nextProbeAt: new Date('2026-01-02T03:04:10.678Z'),
    ...more,
  })
  const OTHER = '00000000-0000-7000-8000-0000000000bb'
  const OF_PROJECT = report({ projectId: PROJECT, class: 'auth', replyCode: 535, enhancedCode: '5.7.8' })
  const SHOWN = {
    class: 'network',
    reply_code: null,
    enhanced_code: null,
    since: '2026-01-02T03:04:05.678Z',
    next_probe_at: '2026-01-02T03:04:10.678Z',
    message: 'nobody answers at mx.example.net',
  }

  const blockedBy = async (database: Database, project: string, channel = 'email') =>
    (
      await database.query<{ found: { class: string } | null }>({
        text: 'select courier.blocked_by($1, $2) as found',
        values: [project, channel],
      })
    ).rows[0]!.found

  it('tells of the channel of the operator to every project without one of its own', async (t) => {
    const { database } = await openTwoLedgers(t)
    await replaceReports(database, 'a', [report()])
    assert.deepEqual(await blockedBy(database, DEFAULT_PROJECT_ID), SHOWN)
    assert.deepEqual(await blockedBy(database, PROJECT), SHOWN)
    assert.equal(await blockedBy(database, DEFAULT_PROJECT_ID, 'sms'), null)
    await replaceReports(database, 'a', [report({ exceptFor: [PROJECT, OTHER] })])
    assert.deepEqual(await blockedBy(database, DEFAULT_PROJECT_ID), SHOWN)
    assert.equal(await blockedBy(database, PROJECT), null)
    assert.equal(await blockedBy(database, OTHER), null)
    await replaceReports(database, 'a', [report({ exceptFor: [OTHER] })])
    assert.deepEqual(await blockedBy(database, PROJECT), SHOWN)
  })

  it('tells a project of its own channel, and nobody else', async (t) => {
    const { database } = await openTwoLedgers(t)
    await replaceReports(database, 'a', [OF_PROJECT])
    assert.equal((await blockedBy(database, PROJECT))?.class, 'auth')
    assert.equal(await blockedBy(database, DEFAULT_PROJECT_ID), null)
    await replaceReports(database, 'a', [report({ exceptFor: [PROJECT] }), OF_PROJECT])
    assert.equal((await blockedBy(database, PROJECT))?.class, 'auth')
    assert.equal((await blockedBy(database, DEFAULT_PROJECT_ID))?.class, 'network')
  })

  it('replaces what the same courier said, and leaves what another one says', async (t) => {
    const { database } = await openTwoLedgers(t)
    await replaceReports(database, 'a', [report()])
    await replaceReports(database, 'b', [report({ class: 'tls' })])
    assert.equal((await blockedBy(database, DEFAULT_PROJECT_ID))?.class, 'tls')
    await replaceReports(database, 'a', [report({ class: 'auth' })])
    assert.equal((await blockedBy(database, DEFAULT_PROJECT_ID))?.class, 'auth')
    await replaceReports(database, 'a', [])
    assert.equal((await blockedBy(database, DEFAULT_PROJECT_ID))?.class, 'tls')
    await replaceReports(database, 'b', [])
    assert.equal(await blockedBy(database, DEFAULT_PROJECT_ID), null)
  })

  it('counts no more once its courier is silent, and goes when the courier leaves', async (t) => {
    const { database, a } = await openTwoLedgers(t)
    await replaceReports(database, 'a', [report()])
    await database.query({ text: `update courier.channel_report set reported_at = reported_at - interval '16 s'` })
    assert.equal(await blockedBy(database, DEFAULT_PROJECT_ID), null)
    await replaceReports(database, 'a', [report()])
    assert.notEqual(await blockedBy(database, DEFAULT_PROJECT_ID), null)
    await a.leave()
    assert.deepEqual((await database.query({ text: 'select * from courier.channel_report' })).rows, [])
  })

  it('goes with a courier that has been dead for long', async (t) => {
    const { database, b, silence } = await openTwoLedgers(t)
    await replaceReports(database, 'a', [report()])
    await silence('a', 3_700)
    await b.releaseDead()
    assert.deepEqual((await database.query({ text: 'select * from courier.channel_report' })).rows, [])
  })
})
