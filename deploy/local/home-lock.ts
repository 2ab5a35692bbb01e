/** One `up` per state folder. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CodedError } from '#libs/errors'
import { isRunning } from './foreign-process.ts'

/** Holds `home` until disposed. A lock whose process is gone is taken over. @throws ALREADY_RUNNING, whose message names the pid */
export async function takeHome(home: string): Promise<AsyncDisposable> {
  const path = join(home, 'lock')
  await mkdir(dirname(path), { recursive: true })
  for (;;) {
    try {
      await writeFile(path, `${process.pid}\n${process.argv[1]}\n`, { flag: 'wx' })
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    } catch (error) {
      if (!isExisting(error)) throw error
    }
    await requireStale(home, path)
    await rm(path, { force: true })
  }
}

async function requireStale(home: string, path: string): Promise<void> {
  const [pid, script] = (await readFile(path, 'utf8').catch(() => '')).split('\n')
  const isOther = Number(pid) > 0 && Number(pid) !== process.pid && script
  if (!isOther || !(await isRunning(Number(pid), script))) return
  const remedy = `stop it (kill ${pid}), or give this one a POSTRIDER_HOME and ports of its own`
  throw new CodedError('ALREADY_RUNNING', `Postrider already runs on ${home} with pid ${pid}: ${remedy}`)
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}
