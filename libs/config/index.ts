/** Configuration: file and environment to one validated, typed, frozen value. */
export { configReference } from './config-reference.ts'
export {
  configFilesOf,
  ignoredKeys,
  isConfigured,
  type LoadOptions,
  loadConfig,
  type ParseOptions,
  parseConfig,
} from './load-config.ts'
export { parseDuration } from './parse-duration.ts'
export { parseRate } from './parse-rate.ts'
export type { Change } from './project/compare-documents.ts'
export { deliveryWarnings, hasOwnTarget } from './project/delivery-warnings.ts'
export {
  isSameProjectConfig,
  type NewProjectConfig,
  operatorDocument,
  projectConfigChanges,
  readProjectConfig,
  shownProjectConfig,
} from './project/project-config.ts'
export type { ScopeOptions } from './project/project-scope.ts'
export { MASK } from './project/secret-uri.ts'
export { configFileNames, readConfigFile } from './read-config-file.ts'
export { requireDatabase, requireSecrets } from './require-settings.ts'
export { CONFIG_SCHEMA, type Config } from './schema.ts'
