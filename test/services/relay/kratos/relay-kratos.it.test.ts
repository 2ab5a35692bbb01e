/** Kratos' rows through real processes: relays that are killed, Kafka, a courier, a mail server, and back into Kratos' own tables. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { topics } from '#libs/messages'
import { administer, waitFor } from '../../../support/servers.ts'
import { everyKind } from './kratos-tables.ts'
import { type Deployment, openDeployment, openFreshKratos } from './open-deployment.ts'
import type { Source } from './sources.ts'

const WAVES = 10
const PER_WAVE = 200

function statuses({ kratos }: Source): Promise<number[]> {
  return kratos.messages().then((rows) => rows.map(({ status }) => status))
}

function all(source: Source, status: number, timeoutMs = 60_000): Promise<boolean> {
  let counts: unknown
  return waitFor(
    async () => {
      const found = await statuses(source)
      counts = Object.fromEntries([1, 2, 3, 4].map((one) => [one, found.filter((other) => other === one).length]))
      return found.every((one) => one === status)
    },
    { timeoutMs, message: () => `not every row has status ${status}: ${JSON.stringify(counts)}` },
  )
}

// biome-ignore lint/suspicious/noExplicitAny: read as a monitor would
async function health(port: number): Promise<{ status: number; body: any }> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`)
  return { status: response.status, body: await response.json() }
}

describe('a relay of a Kratos source', () => {
  it('brings 2,000 rows to their recipients once, though a relay is killed', { timeout: 300_000 }, async (t) => {
    const deployment = await openDeployment(t)
    const source = await openFreshKratos(t)
    const sink = await deployment.startSink()
    await deployment.startCourier()
    const [victim] = await Promise.all([deployment.relay(source.url), deployment.relay(source.url)])
    const wave = (number: number) =>
      source.kratos.add(
        Array.from({ length: PER_WAVE }, (_, index) => ({ recipient: `user-${number}-${index}@example.org` })),
      )
    for (let number = 0; number < WAVES / 2; number++) await wave(number)
    await waitFor(async () => (await statuses(source)).some((status) => status !== 1), { timeoutMs: 30_000 })
    const rest = Promise.all(Array.from({ length: WAVES / 2 }, (_, number) => wave(WAVES / 2 + number)))
    victim.child.kill('SIGKILL')
    await rest
    // And the other one loses every connection on its way.
    await source.database.query({
      text: "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'postrider-relay-kratos' and datname = current_database()",
    })
    const third = await deployment.relay(source.url)
    await all(source, 2, 240_000)

    const rows = await source.kratos.messages()
    assert.equal(rows.length, WAVES * PER_WAVE)
    for (const { send_count, dispatches, is_touched } of rows) {
      assert.deepEqual(
        dispatches.map(({ status }) => status),
        ['success'],
      )
      assert.deepEqual([send_count, is_touched], [1, false])
    }
    assert.deepEqual(sink.mails.map(({ to }) => to).toSorted(), rows.map(({ recipient }) => recipient).toSorted())
    third.child.kill('SIGTERM')
    assert.equal(await third.exited, 0, third.output())
  })

  it('sends what each kind of row holds, and counts, measures and reports', { timeout: 120_000 }, async (t) => {
    const deployment = await openDeployment(t)
    const source = await openFreshKratos(t)
    const sink = await deployment.startSink()
    await deployment.startCourier()
    const relay = await deployment.relay(source.url)
    const unknown = { templateType: 'passkey_removed', subject: 'As Kratos wrote it', body: 'A text of Kratos.' }
    await source.kratos.add([...everyKind(), { ...unknown, recipient: 'later@example.org' }])
    await all(source, 2)
    assert.equal(sink.mails.length, everyKind().length + 1)
    const rendered = sink.mails.find(({ to }) => to === 'later@example.org')
    assert.match(rendered?.raw ?? '', /As Kratos wrote it[\s\S]*A text of Kratos\./)

    const metrics = await (await fetch(`http://127.0.0.1:${relay.metricsPort}/metrics`)).text()
    assert.match(metrics, /courier_outbox_relayed_total\{source="kratos"\} 14\b/)
    assert.match(metrics, /courier_kratos_written_back_total 14\b/)
    assert.match(metrics, /courier_kratos_write_back_lag_seconds_count 14\b/)
    await waitFor(async () => (await health(relay.metricsPort)).status === 200)

    // Kratos' own courier takes a row of its own.
    const [taken] = await source.kratos.add([{ status: 3, createdAt: new Date(Date.now() + 1_000) }])
    const sick = await waitFor(async () => {
      const answer = await health(relay.metricsPort)
      return answer.status === 503 ? answer.body : undefined
    })
    assert.match(sick.parts.couriers.detail, /another courier is running.*--watch-courier/)
    assert.ok(relay.output().includes(taken!))
    for (const secret of ['example.org', 'A text of Kratos', 'As Kratos wrote it'])
      assert.ok(!relay.output().includes(secret))
  })

  it('drains to the last row, stays drained, and goes on when told so', { timeout: 180_000 }, async (t) => {
    const deployment = await openDeployment(t)
    const source = await openFreshKratos(t)
    await deployment.startCourier()
    const relay = await deployment.relay(source.url)
    await source.kratos.add([{}, {}, {}])
    await all(source, 3)
    const drain = await deployment.relay(source.url, '--drain')
    await waitFor(() => drain.output().includes('waiting for messages under way'), { timeoutMs: 30_000 })
    const [late] = await source.kratos.add([{ recipient: 'late@example.org' }])
    assert.equal(drain.child.exitCode, null)

    const sink = await deployment.startSink()
    assert.equal(await drain.exited, 0, drain.output())
    assert.deepEqual((await statuses(source)).toSorted(), [1, 2, 2, 2])
    assert.equal(sink.mails.length, 3)

    relay.child.kill('SIGTERM')
    assert.equal(await relay.exited, 0)
    const careless = await deployment.relay(source.url)
    await waitFor(() => /nothing new is taken.*--resume/.test(careless.output()), { timeoutMs: 30_000 })
    await deployment.relay(source.url, '--resume')
    await all(source, 2)
    assert.deepEqual(new Set(sink.mails.map(({ to }) => to)).has('late@example.org'), true)
    assert.ok(late)
  })

  it('adopts what another courier left in processing, only when asked', { timeout: 120_000 }, async (t) => {
    const deployment = await openDeployment(t)
    const source = await openFreshKratos(t)
    const old = new Date(Date.now() - 3_600_000)
    await source.kratos.add([{ status: 3, createdAt: old }])
    await deployment.startSink()
    await deployment.startCourier()
    const first = await deployment.relay(source.url)
    await waitFor(() => first.output().includes('--adopt-processing'), { timeoutMs: 30_000 })
    await source.kratos.add([{}])
    await waitFor(async () => (await statuses(source)).includes(2), { timeoutMs: 30_000 })
    assert.deepEqual(await statuses(source), [3, 2])
    await deployment.relay(source.url, '--adopt-processing')
    await all(source, 2)
  })

  it('keeps two Kratos apart, and changes nothing when every status comes again', { timeout: 180_000 }, async (t) => {
    const deployment = await openDeployment(t)
    const [first, second] = [await openFreshKratos(t), await openFreshKratos(t)]
    const sink = await deployment.startSink()
    await deployment.startCourier()
    const relays = await Promise.all([first, second].map(({ url }) => deployment.relay(url)))
    await first.kratos.add(Array.from({ length: 40 }, (_, index) => ({ recipient: `a-${index}@example.org` })))
    await second.kratos.add(Array.from({ length: 30 }, (_, index) => ({ recipient: `b-${index}@example.org` })))
    await Promise.all([all(first, 2), all(second, 2)])
    assert.equal(sink.mails.length, 70)

    const before = await first.kratos.messages()
    relays[0]!.child.kill('SIGTERM')
    await relays[0]!.exited
    // Another identity of the source is another consumer group: it begins with the first status that there ever was.
    await first.database.query({ text: 'update postrider_kratos.source set id = gen_random_uuid()' })
    await deployment.relay(first.url)
    await caughtUp(deployment, first)
    assert.deepEqual(await first.kratos.messages(), before)
  })

  it('needs no more rights than the documentation names', { timeout: 120_000 }, async (t) => {
    const deployment = await openDeployment(t)
    const source = await openFreshKratos(t)
    const role = `relay_${crypto.randomUUID().replaceAll('-', '')}`
    await source.database.query({ text: `create role ${role} login password 'relay'` })
    // Its rights end with the database.
    t.after(() => administer(process.env.TEST_DATABASE_URL ?? '', `drop role ${role}`))
    const url = new URL(source.url)
    url.username = role
    url.password = 'relay'
    const refused = await deployment.relay(url.href)
    assert.equal(await refused.exited, 1)
    assert.match(refused.output(), /permission denied|may not create schema postrider_kratos/)

    const prepared = await deployment.relay(source.url, '--prepare')
    assert.equal(await prepared.exited, 0, prepared.output())
    for (const grant of [
      'usage on schema public',
      'select on networks',
      'select, update (status, send_count) on courier_messages',
      'select, insert on courier_message_dispatches',
      'usage on schema postrider_kratos',
      'select, insert, update, delete on all tables in schema postrider_kratos',
    ])
      await source.database.query({ text: `grant ${grant} to ${role}` })
    await deployment.startSink()
    await deployment.startCourier()
    const relay = await deployment.relay(`${url.href}?max_conns=20&max_idle_conns=4&sslmode=disable`)
    await source.kratos.add([{}, { recipient: 'nobody at all' }])
    await waitFor(async () => (await statuses(source)).toSorted().join() === '2,4', { timeoutMs: 30_000 })
    await waitFor(async () => (await health(relay.metricsPort)).status === 200)
    assert.doesNotMatch(relay.output(), /permission denied/)
  })
})

/** Until the group of the source has read the status topic to its end. */
async function caughtUp({ brokers, prefix }: Deployment, { database }: Source): Promise<void> {
  const { rows } = await database.query<{ id: string }>({ text: 'select id from postrider_kratos.source' })
  const topic = topics(prefix).status
  const groupId = `${prefix}postrider.relay.kratos.${rows[0]!.id}`
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await waitFor(
      async () => {
        const ends = await admin.fetchTopicOffsets(topic)
        const [group] = await admin.fetchOffsets({ groupId, topics: [topic] })
        const committed = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
        return ends.every(({ partition, high }) => high === '0' || committed.get(partition) === Number(high))
      },
      { timeoutMs: 30_000, message: 'the new group did not read everything' },
    )
  } finally {
    await admin.disconnect()
  }
}
