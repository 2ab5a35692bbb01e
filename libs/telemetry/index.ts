/** Traces, metrics, logs, and the health port of a service. The only import of the OpenTelemetry SDK. */
export type { Logger } from 'pino'
export * from './health-server.ts'
export * from './log.ts'
export * from './record-span.ts'
export * from './start-telemetry.ts'
export * from './tally.ts'
export * from './trace-context.ts'
