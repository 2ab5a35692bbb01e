/** The wire contract: ids, message records, delivery-status events, sealing. */
export { STATUS_SCHEMA } from './contract/status-schema.ts'
export * from './ids.ts'
export * from './recipient.ts'
export * from './record.ts'
export * from './sealing.ts'
export * from './states.ts'
export * from './status-event.ts'
export * from './topics.ts'
