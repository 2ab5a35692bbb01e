import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { openMessageStreams, type StreamLimits } from '../../../../services/console/stream/stream-messages.ts'
import { type EventClient, openEventClient } from '../../../support/event-stream.ts'
import { waitFor } from '../../../support/servers.ts'
import { makeKey, makeProject } from '../keys/make-keys.ts'
import { project } from '../messages.ts'
import { openConsole, type TestConsole } from '../open-console.ts'

const MESSAGES = '/admin/courier/messages'
const UNLIMITED: StreamLimits = { clients: 100, slowMs: 60_000, longestMs: 60_000, keepAliveMs: 60_000 }

async function setup(t: TestContext) {
  const console = await openConsole()
  t.after(() => console[Symbol.asyncDispose]())
  const follow = async (query = '', lastEventId?: string) => {
    const client = await openEventClient(`${console.url}${MESSAGES}/stream?${query}`, lastEventId)
    t.after(() => client[Symbol.asyncDispose]())
    await waitFor(() => client.lastEventId())
    return client
  }
  return { console, follow }
}

/** The streams of a console alone, on a server of their own. */
async function serve(t: TestContext, console: TestConsole, limits: StreamLimits) {
  const { database, sealer } = console
  const streams = openMessageStreams({ database, sealer, dev: true }, limits)
  const served: Promise<void>[] = []
  const server = createServer(({ headers }, response) => {
    const lastEventId = headers['last-event-id']?.toString()
    served.push(streams.serve(response, { filter: { groups: [] }, wantsDispatches: false, lastEventId }, {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    await streams.close()
    server.closeAllConnections()
    server.close()
  })
  return { streams, served, port: (server.address() as AddressInfo).port }
}

const idsOf = ({ events }: EventClient): string[] =>
  events.filter(({ event }) => event === 'message').map(({ data }) => data.id)
const gapsOf = ({ events }: EventClient): number => events.filter(({ event }) => event === 'gap').length

describe('GET /admin/courier/messages/stream', () => {
  it('sends what changes, in the JSON of the list, from the acceptance on', async (t) => {
    const { console, follow } = await setup(t)
    const client = await follow()
    const stub = { recipient: 'ada@example.org', template_type: 'stub', template_data: { subject: 's', body: 'b' } }
    const { body } = await console.request('POST', MESSAGES, stub)
    await waitFor(() => idsOf(client).length === 1)
    const [message] = (await console.request('GET', MESSAGES)).body
    assert.equal(message.id, body.id)
    assert.deepEqual(client.events.at(-1)?.data, message)
  })

  it('keeps to the filter, and refuses one that is not valid', async (t) => {
    const { console, follow } = await setup(t)
    const [failed, all] = [await follow('class=network&dispatches=true'), await follow()]
    const sent = await project(console)
    const deferred = await project(console, { state: 'deferred', failure_class: 'network' })
    await waitFor(() => idsOf(all).includes(sent) && idsOf(all).includes(deferred) && idsOf(failed).length > 0)
    assert.deepEqual(idsOf(failed), [deferred])
    const refused = await console.request('GET', `${MESSAGES}/stream?class=lost`)
    assert.equal(refused.status, 400)
  })

  it('loses nothing where a transaction that began earlier commits later', async (t) => {
    const { console, follow } = await setup(t)
    const client = await follow()
    const early = await project(console, { updated_at: new Date(0) })
    const late = Promise.withResolvers<void>()
    const open = console.database.transaction(async (tx) => {
      await tx.query({ text: 'insert into console.change (ids) values (array[$1::uuid])', values: [early] })
      await late.promise
    })
    await waitFor(() => idsOf(client).includes(early))
    const other = await project(console)
    await waitFor(() => idsOf(client).includes(other))
    assert.equal(idsOf(client).filter((id) => id === early).length, 1)
    late.resolve()
    await open
    await waitFor(() => idsOf(client).filter((id) => id === early).length === 2)
  })

  it('goes on where a client was, at any console', async (t) => {
    const { console, follow } = await setup(t)
    const first = await follow()
    const seen = await project(console)
    await waitFor(() => idsOf(first).includes(seen))
    await first[Symbol.asyncDispose]()
    const missed = [await project(console), await project(console)]
    const { port } = await serve(t, console, UNLIMITED)
    for (const url of [`${console.url}${MESSAGES}/stream`, `http://127.0.0.1:${port}/`]) {
      await using second = await openEventClient(url, first.lastEventId())
      await waitFor(() => missed.every((id) => idsOf(second).includes(id)))
      assert.equal(gapsOf(second), 0)
      assert.ok(!idsOf(second).includes(seen))
    }
  })

  for (const [what, id] of [
    ['what is no event id', 'nonsense'],
    ['a moment too long ago', '1000000000.700:700:'],
    ['a snapshot that cannot be', `${Math.floor(Date.now() / 1_000)}.9:1:`],
    ['a database that was restored since', `${Math.floor(Date.now() / 1_000)}.9000000000:9000000000:`],
  ] as const) {
    it(`tells of a gap after ${what}, and goes on from now`, async (t) => {
      const { console, follow } = await setup(t)
      const client = await follow('', id)
      await waitFor(() => gapsOf(client) === 1)
      assert.match(client.events.find(({ event }) => event === 'gap')?.data.reason, /load the list again/)
      const fresh = await project(console)
      await waitFor(() => idsOf(client).includes(fresh))
    })
  }

  it('shows the holder of a key of one project only that one', async (t) => {
    const { console } = await setup(t)
    const bound = await makeProject(console, 'bound')
    const key = await makeKey(console, { role: 'viewer', project: 'bound' })
    const stop = new AbortController()
    const response = await fetch(`${console.url}${MESSAGES}/stream`, { headers: key.headers, signal: stop.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    await reader.read()
    const foreign = await project(console)
    const own = await project(console, { project_id: bound })
    let text = ''
    while (!text.includes(own)) text += (await reader.read()).value ?? ''
    assert.ok(!text.includes(foreign))
    stop.abort()
    await reader.closed.catch(() => undefined)
  })

  it('ends where the key that opened it is revoked, and shows nothing of what comes then', async (t) => {
    const { console } = await setup(t)
    const key = await makeKey(console, { role: 'viewer' })
    const response = await fetch(`${console.url}${MESSAGES}/stream`, { headers: key.headers })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    await reader.read()
    await console.request('DELETE', `/admin/keys/${key.id}`)
    let text = ''
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
    assert.match(text, /event: closing\n/)
    assert.equal((await console.request('GET', MESSAGES, undefined, key.headers)).status, 401)
  })
})

describe('openMessageStreams', () => {
  it('cuts off a client that does not read, and says so', { timeout: 60_000 }, async (t) => {
    const { console } = await setup(t)
    const { port, served } = await serve(t, console, { ...UNLIMITED, slowMs: 300 })
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'data')
    socket.pause()
    const body = 'x'.repeat(100_000)
    for (let i = 0; i < 200; i++) await project(console, { template_data: { subject: 's', body } })
    await served[0]
    let tail = ''
    for await (const chunk of socket) tail = (tail + chunk).slice(-2_000)
    assert.match(tail, /event: cut_off\ndata: \{"reason":"this client read too slowly: connect again"\}/)
  })

  it('keeps a quiet connection alive, with an id to go on from', async (t) => {
    const { console } = await setup(t)
    const { port } = await serve(t, console, { ...UNLIMITED, keepAliveMs: 100 })
    await using client = await openEventClient(`http://127.0.0.1:${port}/`)
    const first = await waitFor(() => client.lastEventId())
    await project(console, { state: 'sent' })
    await waitFor(() => client.events.length > 3 && client.lastEventId() !== first)
  })

  it('ends a stream after its time, so that the client shows its key again', async (t) => {
    const { console } = await setup(t)
    const { port } = await serve(t, console, { ...UNLIMITED, longestMs: 200 })
    await using client = await openEventClient(`http://127.0.0.1:${port}/`)
    await client.ended
    assert.equal(client.events.at(-1)?.event, 'closing')
  })

  it('takes no more clients than it serves, and frees the place of one that left', async (t) => {
    const { console } = await setup(t)
    const { port, streams } = await serve(t, console, { ...UNLIMITED, clients: 1 })
    const client = await openEventClient(`http://127.0.0.1:${port}/`)
    assert.throws(streams.checkRoom, { code: 'THROTTLED' })
    await client[Symbol.asyncDispose]()
    await waitFor(() => {
      streams.checkRoom()
      return true
    })
  })
})
