/** How a service runs and stops: signals, polling, and waiting that a signal ends. */
export * from './poll.ts'
export * from './run-service.ts'
export * from './wakeable-pause.ts'
