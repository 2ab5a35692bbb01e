/** Kafka: whether it answers, and whether the topics are there and as configured. Changes nothing. */
import { ensureTopics, readTopic, type TopicSpec } from '#libs/bus'
import { openLog } from '#libs/telemetry'
import { SAFE_REPLICATION, topicSpecs } from '../../../db/topic-specs.ts'
import type { Kafka } from '../find-servers.ts'
import { attempt, type Check, fail, ok, reasonOf, skip, warn } from './check.ts'

const MISSING = 'Kafka has no such topic'
const REACH =
  'Start Kafka, or correct KAFKA_BROKERS; each broker’s advertised.listeners must be reachable from here too.'
const CREATE = 'Run postrider migrate with the KAFKA_BROKERS of the services.'
const DIFFERS =
  'Set postrider.kafka to what the topics have, or change the topics with Kafka’s own tools; partitions only while no message is under way.'
const CLIENT_ID = 'postrider-doctor'

export async function brokerChecks(kafka: Kafka): Promise<Check[]> {
  const specs = topicSpecs(kafka)
  const place = kafka.brokers.join(', ')
  let existing: TopicSpec[]
  try {
    existing = await existingTopics(kafka, specs)
  } catch (error) {
    const broken = fail('kafka.reachable', `${place}: ${reasonOf(error)}`, REACH)
    return [broken, skip('kafka.topics', 'Kafka was not reached')]
  }
  const missing = specs.filter((spec) => !existing.includes(spec)).map(({ name }) => name)
  const found =
    missing.length > 0
      ? [fail('kafka.topics', `missing: ${missing.join(', ')}`, CREATE)]
      : await attempt('kafka.topics', CREATE, () => checkSettings(kafka, existing))
  return [ok('kafka.reachable', place), ...found, checkReplication(kafka)]
}

async function existingTopics({ brokers, topic_prefix }: Kafka, specs: readonly TopicSpec[]): Promise<TopicSpec[]> {
  const log = openLog({ service: 'postrider', instance: CLIENT_ID, level: 'silent' })
  const existing: TopicSpec[] = []
  for (const spec of specs) {
    try {
      // Nothing is that new: it only looks whether the topic is there.
      await readTopic({
        brokers,
        clientId: CLIENT_ID,
        topic: spec.name,
        groupPrefix: `${topic_prefix}${CLIENT_ID}-`,
        sinceMs: Date.now() + 86_400_000,
        log,
        onRecords: () => undefined,
      })
      existing.push(spec)
    } catch (error) {
      if (!(error instanceof Error && error.message.endsWith(MISSING))) throw error
    }
  }
  return existing
}

/** Of topics that exist, so that none is made. */
async function checkSettings({ brokers }: Kafka, existing: readonly TopicSpec[]): Promise<Check> {
  const { mismatches } = await ensureTopics({ brokers, clientId: CLIENT_ID, topics: existing })
  const [first] = existing
  if (mismatches.length > 0) return fail('kafka.topics', mismatches.join('; '), DIFFERS)
  return ok('kafka.topics', `${existing.length} as configured, ${first?.partitions} partitions each`)
}

function checkReplication({ replication }: Kafka): Check {
  const told = `${replication} ${replication === 1 ? 'copy' : 'copies'} of every record`
  if (replication >= SAFE_REPLICATION) return ok('kafka.replication', told)
  return warn(
    'kafka.replication',
    told,
    'On one machine that is all there is; else set postrider.kafka.replication to 3.',
  )
}
