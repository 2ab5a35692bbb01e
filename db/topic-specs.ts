/** How each topic has to be, by the configuration: what `migrate` creates and `doctor` compares with. */
import type { TopicSpec } from '#libs/bus'
import { type Config, parseDuration } from '#libs/config'
import { topics } from '#libs/messages'

type Kafka = Config['postrider']['kafka']

/** A sealed record is at most 900 KiB; the rest is for headers and the batch around it. */
const MAX_RECORD_BYTES = 1_048_576
/** With three copies a broker may be away while each record is still on two others. */
export const SAFE_REPLICATION = 3

export function topicSpecs({ topic_prefix, partitions, replication, retention }: Kafka): TopicSpec[] {
  const { messages, notices, status, deadLetter } = topics(topic_prefix)
  const kept: [string, string][] = [
    [messages, retention.messages],
    [notices, retention.messages],
    [status, retention.status],
    [deadLetter, retention.dead_letter],
  ]
  return kept.map(([name, keep]) => ({
    name,
    partitions,
    replication,
    config: {
      'cleanup.policy': 'delete',
      'retention.ms': String(Math.ceil(parseDuration(keep))),
      'max.message.bytes': String(MAX_RECORD_BYTES),
      'min.insync.replicas': replication >= SAFE_REPLICATION ? '2' : '1',
      'message.timestamp.type': 'CreateTime',
    },
  }))
}
