import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { configFilesOf, loadConfig, operatorDocument } from '#libs/config'

export interface OperatorSettings {
  /** That the configuration is read from, be they there or not. */
  readonly files: readonly string[]
  /** What files and environment say of the project `default` now. @throws CONFIG_INVALID, also for a file that is gone */
  readonly read: () => Readonly<Record<string, unknown>>
}

/** The configuration of the operator, read again whenever it is asked for. */
export function openOperatorSettings(env: Readonly<Record<string, string | undefined>>): OperatorSettings {
  const files = configFilesOf(env)
  const areNamed = (env.POSTRIDER_CONFIG ?? '') !== ''
  let wereThere = areNamed
  return {
    files: files.map((file) => resolve(file)),
    read: () => {
      // Once there, a usual file that is missing is a mistake, and no wish to go back to the defaults.
      wereThere ||= files.every((file) => existsSync(file))
      return operatorDocument(loadConfig({ env, ...(wereThere && { file: files }) }))
    },
  }
}
