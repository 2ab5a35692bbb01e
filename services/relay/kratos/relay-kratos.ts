/** Opens what a relay of a Kratos source needs, and runs it. */
import { openProducer } from '#libs/bus'
import { openSealer, topics } from '#libs/messages'
import { startTelemetry } from '#libs/telemetry'
import { type KratosRelayConfig, loadKratosConfig } from './config.ts'
import { openSource } from './open-source.ts'
import { runKratosRelay } from './run-kratos-relay.ts'

/** Shorter than a drain, and than the time that a transaction may wait for it. */
const SEND_DEADLINE_MS = 8_000

/**
 * Resolves when told to stop, when the drain asked for is done, or when the schema asked for is there.
 * @throws CONFIG_INVALID, and RESOURCE_UNAVAILABLE where a command that ends by itself finds no database
 */
export async function relayKratos(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stopping: AbortSignal,
): Promise<void> {
  const config = loadKratosConfig(args, env)
  await using telemetry = await startTelemetry('relay', { env, instance: config.instance, ...portOf(config) })
  const { log } = telemetry
  const { dsn, patienceMs } = config
  await using source = await openSource({ dsn, applicationName: 'postrider-relay-kratos', log, stopping, patienceMs })
  if (source === undefined) return
  if (config.mode.prepare) return log.info("schema postrider_kratos is there, in Kratos' database")
  await using producer = await openProducer({
    brokers: config.kafka.brokers,
    clientId: config.instance,
    log,
    deadlineMs: SEND_DEADLINE_MS,
  })
  log.info('relay of a Kratos source started')
  await runKratosRelay({
    config,
    topics: topics(config.kafka.topic_prefix),
    sealer: openSealer(config.secrets),
    database: source.database,
    columns: source.columns,
    producer,
    telemetry,
    stopping,
  })
  log.info('relay of a Kratos source ended')
}

/** A command that ends by itself may run beside a relay on the same machine: it takes no port. */
function portOf({ mode, metricsPort }: KratosRelayConfig): { readonly metricsPort?: number } {
  return mode.drain || mode.prepare ? {} : { metricsPort }
}
