/** Configuration: file and environment to one validated, typed, frozen value. */
export { configReference } from './config-reference.ts'
export { ignoredKeys, isConfigured, type LoadOptions, loadConfig, parseConfig } from './load-config.ts'
export { parseDuration } from './parse-duration.ts'
export { parseRate } from './parse-rate.ts'
export { requireDatabase, requireSecrets } from './require-settings.ts'
export { CONFIG_SCHEMA, type Config } from './schema.ts'
