/** promtool and the Prometheus server: of the PATH, else taken out of Debian's package. Live in .cache/prometheus of the clone. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '#libs/errors'
import { ensureFolder, folderOfHash } from '../../deploy/local/cached-folder.ts'

const run = promisify(execFile)
const TOOLS = ['promtool', 'prometheus'] as const

export type PrometheusTools = Readonly<Record<(typeof TOOLS)[number], string>>

/**
 * Paths of both programs. The package is unpacked and not installed: installed, it would start a server.
 * @throws Error that says what was tried and what to install
 */
export async function ensurePrometheusTools(): Promise<PrometheusTools> {
  const found = await Promise.all(TOOLS.map(isOnPath))
  if (found.every(Boolean)) return { promtool: 'promtool', prometheus: 'prometheus' }
  const folder = folderOfHash('prometheus', `debian-${process.arch}`)
  await ensureFolder(folder, fetchPackage).catch((cause: unknown) => {
    const remedy = 'install Prometheus, so that promtool and prometheus are on the PATH, and run the test again'
    throw new Error(`no promtool here, and none could be fetched from Debian: ${messageOf(cause)}; ${remedy}`, {
      cause,
    })
  })
  return { promtool: join(folder, 'promtool'), prometheus: join(folder, 'prometheus') }
}

function isOnPath(tool: string): Promise<boolean> {
  return run(tool, ['--version']).then(
    () => true,
    () => false,
  )
}

async function fetchPackage(folder: string): Promise<void> {
  const parcel = join(folder, 'parcel')
  await mkdir(parcel)
  const download = () => run('apt-get', ['download', '--quiet=2', 'prometheus'], { cwd: parcel })
  // A new machine has no lists of packages, or old ones.
  await download().catch(() => run('apt-get', ['update', '--quiet=2']).then(download))
  const [file] = (await readdir(parcel)).filter((name) => name.endsWith('.deb'))
  if (file === undefined) throw new Error('apt-get downloaded nothing')
  await run('dpkg', ['-x', file, 'unpacked'], { cwd: parcel })
  for (const tool of TOOLS) await rename(join(parcel, 'unpacked', 'usr', 'bin', tool), join(folder, tool))
  await rm(parcel, { recursive: true })
  await run(join(folder, 'promtool'), ['--version'])
}
