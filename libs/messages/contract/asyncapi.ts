/** The delivery-status topic as an AsyncAPI 3 document. Complete in itself: what it says of data and examples is the code's own. */
import { EVENT_STATES, type EventState } from '../states.ts'
import { STATUS_EXAMPLES } from './examples.ts'
import { STATUS_SCHEMA, STATUS_SCHEMA_ID } from './status-schema.ts'

const TRACEPARENT = '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'
const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
const DAY_MS = 86_400_000

const header = (description: string, more: object) => ({ type: 'string', ...more, description })
const HEADERS = {
  ce_specversion: header('Version of CloudEvents.', { const: '1.0' }),
  ce_id: header('Id of the fact; the same when the same fact is published again. Count each once.', { pattern: UUID }),
  ce_source: header('Who publishes.', { const: '/postrider/courier' }),
  ce_type: header('dev.postrider.delivery.<status>.v1', {
    pattern: '^dev\\.postrider\\.delivery\\.[a-z]+\\.v1$',
    'x-extensible-enum': EVENT_STATES.map(typeOf),
  }),
  ce_subject: header('The message.', { pattern: UUID }),
  ce_time: header('When it happened, as occurred_at.', { format: 'date-time' }),
  ce_dataschema: header('What the data look like.', { const: STATUS_SCHEMA_ID }),
  ce_traceparent: header('W3C context that the message began with.', { pattern: TRACEPARENT }),
  traceparent: header('W3C context of the span that published the event.', { pattern: TRACEPARENT }),
  'content-type': header('Of the record value.', { const: 'application/json' }),
}

export function asyncApiDocument(): object {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Postrider delivery status',
      version: '1.0.0',
      license: { name: 'Apache-2.0' },
      description:
        'What became of every mail. CloudEvents 1.0 in Kafka binary mode: attributes are headers, the record value is the JSON ' +
        'data. At least once: readers count each ce_id once. Events of a message are in one partition; they may still come late, ' +
        'and are ordered by dispatch, then by status. Version 1 only grows: readers ignore what they do not know.',
    },
    defaultContentType: 'application/json',
    channels: { deliveryStatus: channel() },
    operations: {
      publishDeliveryStatus: {
        action: 'send',
        channel: { $ref: '#/channels/deliveryStatus' },
        summary: 'The courier, and whoever sets a message aside, publishes a fact once it is stored.',
      },
    },
    components: { messages: { deliveryStatus: message() } },
  }
}

function channel(): object {
  return {
    address: 'courier.delivery-status.v1',
    description:
      'postrider.kafka.topic_prefix stands before the name where it is set. Below are the defaults of a new topic.',
    messages: { deliveryStatus: { $ref: '#/components/messages/deliveryStatus' } },
    bindings: {
      kafka: {
        topic: 'courier.delivery-status.v1',
        partitions: 8,
        replicas: 3,
        topicConfiguration: {
          'cleanup.policy': ['delete'],
          'retention.ms': 30 * DAY_MS,
          'max.message.bytes': 1_048_576,
        },
        bindingVersion: '0.5.0',
      },
    },
  }
}

function message(): object {
  return {
    name: 'deliveryStatus',
    title: 'Delivery status',
    contentType: 'application/json',
    headers: { type: 'object', required: Object.keys(HEADERS), properties: HEADERS },
    payload: STATUS_SCHEMA,
    bindings: {
      kafka: { key: { type: 'string', pattern: UUID, description: 'message_id' }, bindingVersion: '0.5.0' },
    },
    examples: EVENT_STATES.map(example),
  }
}

function example(state: EventState): object {
  const { headers, value } = STATUS_EXAMPLES[state]
  return { name: state, headers, payload: JSON.parse(value) }
}

function typeOf(state: EventState): string {
  return `dev.postrider.delivery.${state}.v1`
}
