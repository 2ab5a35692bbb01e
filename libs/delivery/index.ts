/** Pure rules of delivery: what a failure is, and what follows an attempt. */
export * from './decide.ts'
export * from './failure.ts'
