/** Loaded before the command line: as if DuckDB were not installed. */
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier.startsWith('@duckdb/')) throw new Error(`Cannot find package '${specifier}'`)
    return next(specifier, context)
  },
})
