/** Builds the console's page into .cache/page when its sources changed. Run by `npm start`, `npm test` and the image's build. */
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..', '..')
const SOURCES = join(ROOT, 'services', 'console', 'page')
const OUTPUT = join(ROOT, '.cache', 'page')
const STAMP = 'sources.sha256'

/** @returns whether it was built: false where what stands there is of these very sources */
export async function buildPage(): Promise<boolean> {
  const stamp = stampOfSources()
  if ((await readFile(join(OUTPUT, STAMP), 'utf8').catch(() => '')) === stamp) return false
  await mkdir(dirname(OUTPUT), { recursive: true })
  const folder = await mkdtemp(`${OUTPUT}-`)
  await bundle(folder)
  await writeFile(join(folder, STAMP), stamp)
  // In place at once: a console that starts meanwhile reads the old page or the new one.
  await rm(OUTPUT, { recursive: true, force: true })
  await rename(folder, OUTPUT)
  return true
}

async function bundle(folder: string): Promise<void> {
  const { build } = await import('vite') // only here: a start that builds nothing does not load it
  await build({
    root: SOURCES,
    configFile: false,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: false,
      assetsInlineLimit: 0, // the page's policy allows files of its own only
      rolldownOptions: { input: join(SOURCES, 'index.html') },
    },
  })
}

/** Of the sources and of the versions of all packages. */
function stampOfSources(): string {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')))
  for (const file of globSync('**/*', { cwd: SOURCES }).sort()) {
    if (!/\.(tsx?|css|html|svg)$/.test(file)) continue
    hash.update(`${file}\n`).update(readFileSync(join(SOURCES, file)))
  }
  return hash.digest('hex')
}

if (import.meta.main) {
  const isBuilt = await buildPage()
  console.error(isBuilt ? 'the page is built' : 'the page is up to date')
}
