import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type Config, loadConfig } from '#libs/config'
import { isCoded } from '#libs/errors'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
after(() => rmSync(folder, { recursive: true }))

/** Writes a file for the tests of this process, and gives its path. */
export function fileOf(text: string, name = 'postrider.yaml'): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

export function load(text: string, env: Record<string, string> = {}): Config {
  return loadConfig({ env, file: fileOf(text) })
}

/** The lines of CONFIG_INVALID, without the folder of the file. */
export function mistakesOf(text: string, env: Record<string, string> = {}): string[] {
  try {
    load(text, env)
  } catch (error) {
    if (isCoded(error, 'CONFIG_INVALID')) return error.message.replaceAll(`${folder}/`, '').split('\n')
    throw error
  }
  return []
}
