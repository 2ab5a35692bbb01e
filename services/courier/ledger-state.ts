/** `state` of a ledger row, as the table has it. */
export const completedCodes = { waiting: 2, held: 3, done: 4 } as const
export type LedgerState = 1 | 2 | 3 | 4
export const SENDING: LedgerState = 1
export const DONE: LedgerState = 4
