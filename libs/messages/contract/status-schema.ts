/**
 * The data of a delivery-status event: types the code, and becomes `delivery-status.v1.json` by `npm run build:contract`.
 * Within v1 it only grows: what is there keeps its name, its type and its limits. Readers ignore what they do not know, so that no
 * list of names is closed but `severity`, by which an unknown status can still be told apart.
 */
import { type Static, Type } from 'typebox'
import type { MessageId } from '../ids.ts'
import { EVENT_STATES, type EventState } from '../states.ts'

export const STATUS_SCHEMA_ID = 'https://postrider.dev/schemas/delivery-status.v1.json'

const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
const UUID_V7 = '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
const REASONS = ['permanent', 'exhausted', 'render', 'undecodable', 'operator']
const DECISIONS = ['sent', 'retry', 'abandon', 'expire', 'cancel', 'supersede', 'hold']
const FAILURE_CLASSES = [
  'expired',
  'auth',
  'tls',
  'config',
  'render',
  'network',
  'ambiguous',
  'transient_remote',
  'greylisted',
  'throttled',
  'mailbox_full',
  'permanent_recipient',
  'permanent_content',
  'protocol',
  'channel_refused',
  'permanent_remote',
  'cancelled',
  'superseded',
]

const text = (description: string, more: object = {}) => Type.String({ minLength: 1, ...more, description })
const count = (description: string) => Type.Integer({ minimum: 0, description })
const instant = (description: string) =>
  Type.String({ format: 'date-time', pattern: 'Z$', description: `${description} RFC 3339, UTC.` })
/** Names that may become more: `x-extensible-enum` has those of this version. */
const open = (description: string, names: readonly string[]) =>
  text(description, { pattern: '^[a-z][a-z0-9_]*$', 'x-extensible-enum': names })
const ms = (description: string) => Type.Optional(count(`${description} Milliseconds.`))

const DIFFERENCE = 'Milliseconds; below zero where clocks differ.'

const durations = Type.Object(
  {
    queue: Type.Optional(
      Type.Integer({ description: `From the moment a courier had the message until this try began. ${DIFFERENCE}` }),
    ),
    dns: ms('Looking up the name of the mail server.'),
    tcp: ms('Opening the connection.'),
    tls: ms('Agreeing on encryption.'),
    auth: ms('All else before the first mail of a connection: greeting, EHLO, STARTTLS, AUTH.'),
    mail: ms('From MAIL to the answer to RCPT.'),
    data: ms('From then until the whole mail had left.'),
    dot: ms('From the end of the mail to the final answer.'),
    request: ms('Over HTTP: until the head of the answer.'),
    response: ms('Over HTTP: the rest of the answer.'),
    connect: ms('Opening a connection for this mail, all of it; missing where one was open.'),
    send: ms('The dialogue, from the first command to the final answer.'),
    total: Type.Integer({
      description: 'From queued_at to occurred_at. Milliseconds; below zero where clocks differ.',
    }),
  },
  { description: 'How long it took. A phase that did not take place, or was not measured, is missing.' },
)

const reply = Type.Object(
  {
    code: Type.Integer({ minimum: 100, maximum: 999, description: 'SMTP reply code or HTTP status.' }),
    enhanced: Type.Optional(
      Type.String({ pattern: '^[245]\\.\\d{1,3}\\.\\d{1,3}$', description: 'Enhanced status code, RFC 3463.' }),
    ),
    command: text('The command that was answered, such as RCPT or DOT; HTTP for a request.'),
  },
  { description: "The peer's answer in numbers. Its words may name the recipient and are only in `sealed`." },
)

export const STATUS_SCHEMA = Type.Object(
  {
    message_id: Type.Unsafe<MessageId>(
      Type.String({
        pattern: UUID_V7,
        description: 'The message: UUIDv7, whose time is that of its creation. Record key.',
      }),
    ),
    project_id: Type.String({ pattern: UUID, description: 'The project (tenant) that the message belongs to.' }),
    template_type: text('Kind of mail, such as login_code_valid.'),
    channel: text('Way out that the message asked for: email, sms, or the id of a configured channel.'),
    status: Type.Unsafe<EventState>(
      open('What became of the message. An unknown one is read by severity and terminal.', EVENT_STATES),
    ),
    severity: Type.Enum(['none', 'temporary', 'permanent'], {
      type: 'string',
      description:
        'none: as wished. temporary: goes on by itself or by an operator. permanent: did not arrive, and will not.',
    }),
    terminal: Type.Boolean({
      description: 'Whether nothing is sent any more. Providers may still report on a sent message.',
    }),
    dispatch: count(
      'Number of the try, also of those that are not charged; 0 where nothing was tried. Orders the events of a message.',
    ),
    attempt: count('Tries so far that count against the retry budget.'),
    max_attempts: count('The retry budget; 0 where none applied.'),
    occurred_at: instant('When it happened; ce_time.'),
    queued_at: instant('When the message was accepted.'),
    expires_at: instant('When the message stops being worth sending.'),
    next_attempt_at: Type.Optional(instant('When a deferred message is tried again at the earliest.')),
    reason: Type.Optional(open('Why it was given up.', REASONS)),
    failure_class: Type.Optional(open('What made the try fail.', FAILURE_CLASSES)),
    decision: Type.Optional(open('What followed the try.', DECISIONS)),
    attempted: Type.Boolean({
      description: 'Whether this very try reached out; false: given up before anything was sent.',
    }),
    possibly_delivered: Type.Boolean({
      description: 'A try ended without an answer after the whole mail had left, so that a copy may have arrived.',
    }),
    durations_ms: durations,
    reply: Type.Optional(reply),
    error: Type.Optional(text('The failure in words, free of addresses and codes.')),
    provider: Type.Optional(text('Host of the mail server or HTTP target that was asked.')),
    provider_message_id: Type.Optional(text('What the provider calls the mail.')),
    recipient_domain: Type.Optional(text("Domain of the recipient's address.")),
    recipient_hash: Type.Optional(text('Keyed hash of the recipient, equal for equal recipients of a project.')),
    identity_id: Type.Optional(text('The identity that the message is about; a pseudonym to join by.')),
    locale: Type.Optional(text('Language of the mail.')),
    lane: open('urgent where a person waits for the mail, else notice.', ['urgent', 'notice']),
    trace_id: Type.String({
      pattern: '^[0-9a-f]{32}$',
      description: 'W3C trace id of the request that caused the message.',
    }),
    worker: text('Instance that reports.'),
    sealed: Type.Optional(
      text('Encrypted for operators: subject, words of the reply, dialogue. Of no use for analysis.'),
    ),
  },
  {
    $id: STATUS_SCHEMA_ID,
    title: 'Delivery status, version 1',
    description:
      'One fact about one message. No address, subject, body or code. Unknown fields and names are to be ignored.',
  },
)

type Frozen<T> = T extends string | number | boolean ? T : { readonly [Key in keyof T]: Frozen<T[Key]> }

/** Data of an event: what each field means stands in the schema. */
export type StatusData = Frozen<Static<typeof STATUS_SCHEMA>>
