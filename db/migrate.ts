/** Brings database and topics to this version; topics only where brokers are configured. Safe to run again, and on every start. */
import { type Config, isConfigured, loadConfig, requireDatabase } from '#libs/config'
import { isCoded, messageOf } from '#libs/errors'
import { migrate } from './migrations.ts'
import { SAFE_REPLICATION, topicSpecs } from './topic-specs.ts'

type Kafka = Config['postrider']['kafka']

const REMEDY =
  "nothing was changed; set postrider.kafka to what the topics have, or change the topics with Kafka's own tools " +
  '(partitions only while no message is under way: they decide the order)'
/** Of the network, and of PostgreSQL: no access (28), no such database (3D), no right (42501), shutting down or starting (57P). */
const REFUSALS = /^(E[A-Z]+|28...|3D...|42501|57P..)$/

try {
  const config = loadConfig({ env: process.env })
  requireDatabase(config)
  const applied = await migrate(config.postrider.database.url)
  for (const name of applied) console.log(`applied ${name}`)
  if (applied.length === 0) console.log('the database is up to date')
  if (isConfigured(config, 'postrider.kafka.brokers')) await createTopics(config.postrider.kafka)
} catch (error) {
  console.error(isExplained(error) ? `migrate: ${told(error)}` : error)
  process.exitCode = 1
}

/** Whether a line says it all: a mistake in the configuration, a server that is away or refuses; anything else needs its stack. */
function isExplained(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return isCoded(error) || REFUSALS.test(code) || error.name.startsWith('KafkaJS')
}

/** A collection of errors, such as one per topic or per address, says little by itself. */
function told(error: Error): string {
  const parts = 'errors' in error && Array.isArray(error.errors) ? error.errors : []
  return [...new Set([error.message, ...parts.map(messageOf)])].filter((text) => text !== '').join('; ')
}

/** Creates what is missing. What differs is told, never changed: it may hold messages, and more partitions would break their order. */
async function createTopics(kafka: Kafka): Promise<void> {
  const { ensureTopics } = await import('#libs/bus') // needs a broker, which a database alone does not
  const { created, mismatches } = await ensureTopics({ brokers: kafka.brokers, topics: topicSpecs(kafka) })
  for (const name of created) console.log(`created topic ${name}`)
  if (created.length === 0) console.log('the topics are there')
  for (const mismatch of mismatches) console.error(`warning: ${mismatch}`)
  if (mismatches.length > 0) console.error(`warning: ${REMEDY}`)
  if (kafka.replication < SAFE_REPLICATION) {
    console.error(
      `warning: postrider.kafka.replication: ${kafka.replication}; a lost broker may lose messages below ${SAFE_REPLICATION}`,
    )
  }
}
