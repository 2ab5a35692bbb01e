/** The generated client of Ory, against the console as it is. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Configuration, CourierApi, type Message } from '@ory/client'
import { makeKey } from './keys/make-keys.ts'
import { openConsole, type TestConsole } from './open-console.ts'
import { plantedId, plantMessage } from './planted-messages.ts'

const COUNT = 7

async function plant(console: TestConsole): Promise<void> {
  for (let n = 0; n < COUNT; n++)
    await plantMessage(console, {
      id: plantedId(n),
      recipient: n % 2 === 0 ? 'even@example.org' : 'odd@example.org',
      state: n < 2 ? 'abandoned' : 'sent',
      createdAt: `2026-01-01T0${n}:00:00Z`,
      dispatches: n < 2 ? ['deferred', 'abandoned'] : ['sent'],
    })
}

for (const [where, host] of [
  ['with a key beyond loopback', '0.0.0.0'],
  ['without a key on loopback', '127.0.0.1'],
] as const) {
  describe(`@ory/client ${where}`, () => {
    let console: TestConsole
    let courier: CourierApi
    before(async () => {
      console = await openConsole({ host })
      await plant(console)
      const key = host === '0.0.0.0' ? { accessToken: (await makeKey(console, { role: 'viewer' })).token } : {}
      courier = new CourierApi(new Configuration({ basePath: console.url, ...key }))
    })
    after(() => console[Symbol.asyncDispose]())

    const idsOf = (messages: readonly Message[]) => messages.map(({ id }) => id)

    it('pages through three pages by the tokens of the Link header', async () => {
      const seen: string[] = []
      const sizes: number[] = []
      let pageToken: string | undefined
      do {
        const { data, headers } = await courier.listCourierMessages({
          pageSize: 3,
          ...(pageToken !== undefined && { pageToken }),
        })
        seen.push(...idsOf(data))
        sizes.push(data.length)
        const next = /<([^>]+)>; rel="next"/.exec(String(headers.link))?.[1]
        pageToken = next && (new URL(next, console.url).searchParams.get('page_token') ?? undefined)
      } while (pageToken !== undefined)
      assert.deepEqual(sizes, [3, 3, 1])
      assert.deepEqual(
        seen,
        Array.from({ length: COUNT }, (_, n) => plantedId(COUNT - 1 - n)),
      )
    })

    it('lists by status and by recipient', async () => {
      const abandoned = await courier.listCourierMessages({ status: 'abandoned' })
      assert.deepEqual(idsOf(abandoned.data), [plantedId(1), plantedId(0)])
      const odd = await courier.listCourierMessages({ recipient: 'odd@example.org', status: 'sent' })
      assert.deepEqual(idsOf(odd.data), [plantedId(5), plantedId(3)])
    })

    it('gets one message, with every field of the type that the client declares', async () => {
      const { data } = await courier.getCourierMessage({ id: plantedId(1) })
      const text = ['id', 'status', 'type', 'recipient', 'body', 'subject', 'template_type', 'channel'] as const
      for (const field of text) assert.equal(typeof data[field], 'string', field)
      assert.equal(data.send_count, 2)
      for (const instant of [data.created_at, data.updated_at]) assert.equal(new Date(instant).toISOString(), instant)
      const [last, first] = data.dispatches ?? []
      assert.equal(last?.status, 'failed')
      assert.equal(last.message_id, data.id)
      assert.equal(typeof last.error, 'object')
      assert.ok(first !== undefined && first.created_at < last.created_at)
    })

    it('throws what it throws for an unknown id', async () => {
      await assert.rejects(courier.getCourierMessage({ id: plantedId(99) }), (error: { response?: unknown }) => {
        const { status, data } = error.response as { status: number; data: { error: { message: string } } }
        assert.equal(status, 404)
        assert.equal(data.error.message, 'Unable to locate the resource')
        return true
      })
    })
  })
}
