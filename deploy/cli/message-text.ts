/** Messages as people read them. What servers said may hold anything, so control characters become spaces. */
import type { Attempt, ListedMessage, ShownMessage } from './message-json.ts'
import { tableOf } from './print.ts'

export function messageTable(messages: readonly ListedMessage[]): string {
  return tableOf(
    ['ID', 'STATE', 'RECIPIENT', 'TEMPLATE', 'ATTEMPTS', 'CREATED', 'ERROR'],
    messages.map((message) => [
      message.id,
      message.state,
      message.recipient,
      message.template_type,
      String(message.send_count),
      message.created_at,
      message.last_error ?? '',
    ]),
  )
}

/** @param withConversation also what courier and server said to each other */
export function messageText(
  { dispatches = [], blocked_by, ...fields }: ShownMessage,
  withConversation: boolean,
): string {
  const waits =
    blocked_by && `${blocked_by.message}, since ${blocked_by.since}, next look at ${blocked_by.next_probe_at}`
  const facts = tableOf(
    ['FIELD', 'VALUE'],
    Object.entries({ ...fields, waits: waits ?? null })
      .filter(([, value]) => value !== null && value !== '')
      .map(([name, value]) => [name, String(value)]),
  )
  return [facts, ...dispatches.map((attempt) => attemptText(attempt, withConversation))].join('\n\n')
}

function attemptText(attempt: Attempt, withConversation: boolean): string {
  const { attempt: number, status, created_at: at, duration_ms: ms } = attempt
  const head = `ATTEMPT ${number}  ${status}  ${at}${ms === null ? '' : `  ${ms} ms`}`
  const facts: readonly (readonly [string, string])[] = [
    ['server', serverText(attempt)],
    ['phases', phasesText(attempt.durations_ms ?? {})],
    ['reply', replyText(attempt)],
    ['class', attempt.class ?? ''],
    ['decision', decisionText(attempt)],
    ['courier', attempt.worker ?? ''],
    ['error', attempt.error?.message ?? ''],
  ]
  const lines = facts.filter(([, text]) => text !== '').map(([name, text]) => `  ${name.padEnd(9)} ${plain(text)}`)
  return [head, ...lines, ...(withConversation ? conversationLines(attempt) : [])].join('\n')
}

function serverText({ peer, provider, reused }: Attempt): string {
  if (peer == null) return provider ?? ''
  const parts = [
    `${peer.host}:${peer.port}`,
    peer.address !== undefined && peer.address !== peer.host ? `(${peer.address})` : '',
    peer.tls ?? 'no TLS',
    reused === true ? 'on an open connection' : '',
  ]
  return parts.filter((part) => part !== '').join(' ')
}

function phasesText(durations: Readonly<Record<string, number>>): string {
  return Object.entries(durations)
    .map(([phase, ms]) => `${phase} ${ms}`)
    .join(', ')
    .concat(Object.keys(durations).length > 0 ? ' ms' : '')
}

function replyText({ reply_code, enhanced_code, reply_text, command }: Attempt): string {
  const codes = [reply_code, enhanced_code].filter((code) => code != null).join(' ')
  const to = command == null ? '' : `to ${command}`
  return [codes, to, reply_text ?? ''].filter((part) => part !== '').join(' ')
}

function decisionText({ decision, next_attempt_at: next }: Attempt): string {
  return [decision ?? '', next == null ? '' : `at ${next}`].filter((part) => part !== '').join(' ')
}

function conversationLines({ conversation }: Attempt): string[] {
  if (conversation == null) return ['  no conversation is kept: it is of failed attempts only']
  return ['  conversation', ...conversation.map((line) => `    ${plain(line)}`)]
}

function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}
