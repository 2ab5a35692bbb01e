import type { Tx } from '#libs/database'

/** The caller's open transaction, by whatever library: a pg client as it is, everything else by a few lines. `$1` marks values. */
export interface OutboxTx {
  readonly query: (text: string, values: unknown[]) => Promise<{ readonly rows: readonly object[] }>
}

export function fromDatabaseTx(tx: Tx): OutboxTx {
  return { query: (text, values) => tx.query({ name: nameOf(text), text, values }) }
}

/** The few statements of this lib are prepared once per connection. */
const names = new Map<string, string>()
function nameOf(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = `outbox-${names.size}`
    names.set(text, name)
  }
  return name
}
