/** Spans of what an attempt did on the wire: the dialogue with a mail server, or an HTTP request. */
import { type Attributes, type SpanContext, SpanKind, type Tracer } from '@opentelemetry/api'
import { recordSpan } from '#libs/telemetry'
import type { AttemptPhases, AttemptResult } from './channels/channel.ts'

export interface WireSpans {
  readonly tracer: Tracer
  readonly parent: SpanContext
  readonly attempt: AttemptResult
  /** Tries of the message before this one. */
  readonly resends: number
}

export function recordWire(spans: WireSpans): void {
  if (spans.attempt.method === undefined) recordDialogue(spans)
  else recordRequest(spans, spans.attempt.method)
}

/** `error.type`: the reply code where there is one, else the class. */
export function errorType(replyCode: number | undefined, failureClass: string): string {
  return replyCode === undefined ? failureClass : String(replyCode)
}

function recordDialogue({ tracer, parent, attempt }: WireSpans): void {
  const { peer, reply, failure, timings, startedAt } = attempt
  const { dns, tcp, tls, auth, mail, data, dot } = timings.phases ?? {}
  const attributes = peerAttributes('smtp', attempt)
  const place = peer === undefined ? '' : ` ${peer.host}:${peer.port}`
  const connectMs = timings.connectMs ?? 0
  const error = failure === undefined ? {} : { error: errorType(failure.replyCode, failure.class) }
  if (timings.connectMs !== undefined) {
    const failedHere = failure !== undefined && reply === undefined
    recordSpan(tracer, {
      name: `smtp connect${place}`,
      kind: SpanKind.CLIENT,
      parent,
      startTime: startedAt,
      endTime: startedAt + connectMs,
      attributes: { ...attributes, ...phaseAttributes({ dns, tcp, tls, auth }) },
      ...(failedHere && error),
    })
  }
  recordSpan(tracer, {
    name: `smtp send${place}`,
    kind: SpanKind.CLIENT,
    parent,
    startTime: startedAt + connectMs,
    endTime: startedAt + connectMs + timings.sendMs,
    attributes: {
      ...attributes,
      ...phaseAttributes({ mail, data, dot }),
      'connection.reused': attempt.reused,
      ...(reply !== undefined && { 'courier.smtp.reply_code': reply.code, 'courier.smtp.command': reply.command }),
      ...(reply?.enhanced !== undefined && { 'courier.smtp.enhanced_code': reply.enhanced }),
    },
    ...error,
  })
}

/** Named and attributed as the semantic conventions for HTTP clients have it; without the URL, which may hold credentials. */
function recordRequest({ tracer, parent, attempt, resends }: WireSpans, method: string): void {
  const { reply, failure, reused, timings, startedAt } = attempt
  recordSpan(tracer, {
    name: method,
    kind: SpanKind.CLIENT,
    parent,
    startTime: startedAt,
    endTime: startedAt + (timings.connectMs ?? 0) + timings.sendMs,
    attributes: {
      ...peerAttributes('http', attempt),
      ...phaseAttributes(timings.phases ?? {}),
      'http.request.method': method,
      'connection.reused': reused,
      ...(reply !== undefined && { 'http.response.status_code': reply.code }),
      ...(resends > 0 && { 'http.request.resend_count': resends }),
    },
    ...(failure !== undefined && { error: errorType(failure.replyCode, failure.class) }),
  })
}

function peerAttributes(protocol: string, { peer }: AttemptResult): Attributes {
  return {
    'network.protocol.name': protocol,
    ...(peer !== undefined && { 'server.address': peer.host, 'server.port': peer.port }),
    ...(peer?.address !== undefined && { 'network.peer.address': peer.address }),
    ...(peer?.tls !== undefined && { 'tls.protocol.version': peer.tls }),
  }
}

/** Where the time went, as `courier.<phase>_ms`. */
function phaseAttributes(phases: { readonly [Phase in keyof AttemptPhases]: number | undefined }): Attributes {
  const attributes: Attributes = {}
  for (const [phase, ms] of Object.entries(phases)) {
    if (ms !== undefined) attributes[`courier.${phase}_ms`] = Math.round(ms * 10) / 10
  }
  return attributes
}
