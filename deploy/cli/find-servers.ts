/** Where PostgreSQL and Kafka are: as configured, else those that a running `up` of this home started. */
import { join } from 'node:path'
import { type Config, isConfigured } from '#libs/config'
import { readRunFile } from '../local/run-file.ts'
import { readState } from '../local/state-file.ts'

export type Kafka = Config['postrider']['kafka']

/** @returns undefined where no database is named and none runs here */
export async function findDatabaseUrl(config: Config, home: string): Promise<string | undefined> {
  return config.postrider.database.url || (await embeddedUrl(home))
}

/** With what the topics should be like; one embedded broker cannot hold several copies. */
export async function findKafka(config: Config, home: string): Promise<Kafka> {
  const { kafka } = config.postrider
  if (isConfigured(config, 'postrider.kafka.brokers')) return kafka
  const port = await portOf(home, 'kafka')
  if (port === undefined) return kafka
  const replication = isConfigured(config, 'postrider.kafka.replication') ? kafka.replication : 1
  return { ...kafka, brokers: [`127.0.0.1:${port}`], replication }
}

/** Cipher secrets that `up` made for this home. */
export async function hasKeptSecrets(home: string): Promise<boolean> {
  const kept = await readState<{ cipher: readonly string[] }>(join(home, 'secrets.json'))
  return (kept?.cipher?.length ?? 0) > 0
}

async function embeddedUrl(home: string): Promise<string | undefined> {
  const port = await portOf(home, 'postgres')
  const record = await readState<{ password: string }>(join(home, 'postgres.json'))
  if (port === undefined || record?.password === undefined) return undefined
  return `postgres://postrider:${record.password}@127.0.0.1:${port}/postrider`
}

async function portOf(home: string, service: 'postgres' | 'kafka'): Promise<number | undefined> {
  return (await readRunFile(home))?.processes.find((process) => process.service === service)?.ports[service]
}
