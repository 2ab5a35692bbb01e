/** An OTLP/HTTP trace backend of one test: takes protobuf and keeps the spans in a flat, readable form. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { waitFor } from './servers.ts'

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly kind: string
  readonly service: string
  readonly startTimeMs: number
  readonly endTimeMs: number
  readonly attributes: Readonly<Record<string, unknown>>
  /** `error` where the span failed; else unset. */
  readonly status: 'error' | 'ok' | undefined
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[]
  readonly resource: Readonly<Record<string, unknown>>
  /** Of the semantic conventions, as the tracer says it. */
  readonly schemaUrl: string
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
}

export interface OtlpReceiver extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string
  readonly spans: () => readonly ReceivedSpan[]
  readonly waitForSpans: (isEnough: (spans: readonly ReceivedSpan[]) => boolean) => Promise<void>
}

const STATUS = [undefined, 'ok', 'error'] as const
const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']
const DEADLINE_MS = 30_000

export async function openOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    if (request.url === '/v1/traces') spans.push(...decodeTraces(body))
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => spans,
    waitForSpans: async (isEnough) => {
      await waitFor(() => isEnough(spans), { timeoutMs: DEADLINE_MS, message: 'the expected spans did not arrive' })
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
}

/** One field of a protobuf message: a varint or fixed64 as bigint, everything else as bytes. */
interface Field {
  readonly number: number
  readonly value: bigint | Buffer
}

function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = Number(varint())
    const number = tag >> 3
    switch (tag & 7) {
      case 0:
        yield { number, value: varint() }
        break
      case 1:
        yield { number, value: message.readBigUInt64LE(at) }
        at += 8
        break
      case 2: {
        const length = Number(varint())
        yield { number, value: message.subarray(at, at + length) }
        at += length
        break
      }
      case 5:
        yield { number, value: BigInt(message.readUInt32LE(at)) }
        at += 4
        break
      default:
        throw new Error(`wire type ${tag & 7}`)
    }
  }
}

function all(message: Buffer, number: number): Buffer[] {
  return [...fieldsOf(message)].flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
  )
}

function first(message: Buffer, number: number): bigint | Buffer | undefined {
  for (const field of fieldsOf(message)) if (field.number === number) return field.value
  return undefined
}

function hex(message: Buffer, number: number): string {
  const value = first(message, number)
  return Buffer.isBuffer(value) ? value.toString('hex') : ''
}

function ms(message: Buffer, number: number): number {
  const value = first(message, number)
  return typeof value === 'bigint' ? Number(value) / 1e6 : 0
}

/** ExportTraceServiceRequest > ResourceSpans > ScopeSpans > Span, by the field numbers of opentelemetry-proto. */
function decodeTraces(request: Buffer): ReceivedSpan[] {
  return all(request, 1).flatMap((resourceSpans) => {
    const [resource = Buffer.alloc(0)] = all(resourceSpans, 1)
    const resourced = attributesOf(resource, 1)
    return all(resourceSpans, 2).flatMap((scope) =>
      all(scope, 2).map((span) => decodeSpan(span, resourced, String(first(scope, 3) ?? ''))),
    )
  })
}

function decodeSpan(span: Buffer, resource: Record<string, unknown>, schemaUrl: string): ReceivedSpan {
  return {
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentSpanId: hex(span, 4) || undefined,
    name: String(first(span, 5)),
    kind: KINDS[Number(first(span, 6) ?? 0)] ?? 'UNSPECIFIED',
    service: String(resource['service.name']),
    startTimeMs: ms(span, 7),
    endTimeMs: ms(span, 8),
    attributes: attributesOf(span, 9),
    status: STATUS[Number(first(all(span, 15)[0] ?? Buffer.alloc(0), 3) ?? 0)],
    events: all(span, 11).map((event) => ({ name: String(first(event, 2)), attributes: attributesOf(event, 3) })),
    resource,
    schemaUrl,
    links: all(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
  }
}

function attributesOf(message: Buffer, number: number): Record<string, unknown> {
  return Object.fromEntries(
    all(message, number).map((attribute) => [String(first(attribute, 1)), anyValueOf(all(attribute, 2)[0])]),
  )
}

/** AnyValue: text, boolean, integer as a number; what is encoded as floating point is marked, for backends tell the two apart. */
function anyValueOf(value: Buffer | undefined): unknown {
  const [field] = value === undefined ? [] : fieldsOf(value)
  if (field === undefined) return ''
  switch (field.number) {
    case 2:
      return field.value === 1n
    case 3:
      return Number(BigInt.asIntN(64, field.value as bigint))
    case 4:
      return { double: new Float64Array(new BigUint64Array([field.value as bigint]).buffer)[0] }
    default:
      return String(field.value)
  }
}
