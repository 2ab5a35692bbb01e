/** A name server that knows some TXT records and says of every other name that it does not exist. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

export interface DnsServer extends AsyncDisposable {
  /** As POSTRIDER_DNS takes it. */
  readonly address: string
  /** Names that were asked for. */
  readonly asked: readonly string[]
}

const TXT = 16
const NO_SUCH_NAME = 3

/** Listens on UDP of 127.0.0.1. @param records texts by lower-case name */
export async function openDnsServer(records: Readonly<Record<string, readonly string[]>>): Promise<DnsServer> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (query, { port, address }) => {
    const { name, end } = readName(query, 12)
    asked.push(name)
    const texts = query.readUInt16BE(end) === TXT ? (records[name] ?? []) : []
    const head = Buffer.from(query.subarray(0, 12))
    head.writeUInt16BE(0x8180 | (name in records ? 0 : NO_SUCH_NAME), 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(texts.length, 6)
    head.writeUInt32BE(0, 8)
    socket.send(Buffer.concat([head, query.subarray(12, end + 4), ...texts.map(answer)]), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}

function readName(query: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = []
  let at = start
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

/** The name by a pointer to the question; the text in parts of at most 255 bytes. */
function answer(text: string): Buffer {
  const parts = (text.match(/.{1,255}/gs) ?? ['']).map((part) => Buffer.from(`\0${part}`, 'latin1'))
  for (const part of parts) part[0] = part.length - 1
  const data = Buffer.concat(parts)
  const head = Buffer.from([0xc0, 12, 0, TXT, 0, 1, 0, 0, 0, 60, 0, 0])
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}
