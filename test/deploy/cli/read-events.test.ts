import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ReceivedEvent, readEvents } from '../../../deploy/cli/read-events.ts'

async function read(...chunks: (string | Buffer)[]): Promise<ReceivedEvent[]> {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(new Uint8Array(Buffer.from(chunk)))
      controller.close()
    },
  })
  return Array.fromAsync(readEvents(body))
}

describe('readEvents', () => {
  it('joins what comes in pieces, also inside a character', async () => {
    const text = Buffer.from('id: 7\nevent: message\ndata: {"a":"ä"}\n\n')
    const at = text.indexOf(0xc3) + 1
    assert.deepEqual(await read(text.subarray(0, 3), text.subarray(3, at), text.subarray(at)), [
      { id: '7', event: 'message', data: '{"a":"ä"}' },
    ])
  })

  it('keeps the id until another one comes, and takes one from a comment', async () => {
    const events = await read(': connected\nid: 1\n\ndata: x\n\nid: 2\r\ndata: y\r\n\r\n')
    assert.deepEqual(
      events.map(({ id, data }) => [id, data]),
      [
        ['1', ''],
        ['1', 'x'],
        ['2', 'y'],
      ],
    )
  })

  it('leaves out an event that was cut off', async () => {
    assert.deepEqual(await read('data: x'), [])
  })
})
