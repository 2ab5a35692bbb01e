/** A Chromium to drive: the machine's own, or one that npm carries. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ensurePackagedChromium } from './packaged-chromium.ts'

export interface FoundChromium {
  readonly executablePath: string
  /** What its process needs beside the caller's environment. */
  readonly env: Readonly<Record<string, string>>
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
/** Where browsers are though PATH says nothing of them. */
const PLACES = [
  ...NAMES.map((name) => `/usr/bin/${name}`),
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/**
 * CHROMIUM_PATH, else one of this machine, else one that is fetched (first time, 70 MB).
 * @throws Error that names what was tried and the variable
 */
export async function findChromium(env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<FoundChromium> {
  const { CHROMIUM_PATH: given = '', PATH = '' } = env
  if (given !== '') {
    if (!isExecutable(given)) throw new Error(`CHROMIUM_PATH: found ${given}, expected the path of a Chromium to run`)
    return { executablePath: given, env: {} }
  }
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
  const own = [...onPath, ...PLACES].find(isExecutable)
  if (own !== undefined) return { executablePath: own, env: {} }
  try {
    return await ensurePackagedChromium(log)
  } catch (cause) {
    const tried = `no ${NAMES.slice(0, 3).join(', ')} on PATH or in ${PLACES[0]}`
    throw new Error(`There is no Chromium: ${tried}; ${(cause as Error).message}. Install one, or set CHROMIUM_PATH.`, {
      cause,
    })
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not there, or not to be run: the next one
  }
}
