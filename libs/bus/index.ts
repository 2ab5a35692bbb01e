/** Kafka for every service: produce, consume, topics. The only import of kafkajs. */
// Before anything loads kafkajs.
import './patch-fetch.ts'
import './patch-produce.ts'
import './patch-request-queue.ts'

export type { AssignedPartition } from './assignment.ts'
export * from './ensure-topics.ts'
export * from './open-consumer.ts'
export * from './open-producer.ts'
export * from './read-topic.ts'
export * from './records.ts'
export * from './watermark.ts'
