/** Asks a broker for its metadata: the smallest question that a broker answers only when it can serve. */
import { connect } from 'node:net'

const METADATA = 3
const VERSION = 4
const QUESTION_TIMEOUT_MS = 2_000

/** Whether the broker at `port` of 127.0.0.1 names at least one broker: while it is not registered yet it answers with none. */
export function kafkaAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: QUESTION_TIMEOUT_MS })
    let received = Buffer.alloc(0)
    const finish = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => socket.write(metadataRequest()))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= BROKER_COUNT_AT + 4) finish(received.readInt32BE(BROKER_COUNT_AT) > 0)
    })
    socket.once('error', () => finish(false))
    socket.once('timeout', () => finish(false))
    socket.once('close', () => finish(false))
  })
}

// Answer: int32 size, int32 correlation id, int32 throttle time, then the array of brokers with its int32 length.
const BROKER_COUNT_AT = 12

function metadataRequest(): Buffer {
  const clientId = 'postrider-up'
  const size = 2 + 2 + 4 + 2 + clientId.length + 4 + 1
  const request = Buffer.alloc(4 + size)
  let at = request.writeInt32BE(size)
  at = request.writeInt16BE(METADATA, at)
  at = request.writeInt16BE(VERSION, at)
  at = request.writeInt32BE(1, at) // correlation id
  at = request.writeInt16BE(clientId.length, at)
  at += request.write(clientId, at)
  at = request.writeInt32BE(0, at) // no topic asked for
  request.writeInt8(0, at) // and none created
  return request
}
