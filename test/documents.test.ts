/** What the documents say of the repository is there: links, references made from the code, and the tests that hold the table of compatibility. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { madeDocuments } from '../deploy/documents/made-documents.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DOCUMENTS = globSync('{*.md,{deploy,libs,services,test}/**/*.md}', { cwd: ROOT })
/** Of the machine, of the shell, and between our own programs. */
const NOBODYS_SETTING = new Set(['PATH', 'USER', 'POSTRIDER_COMMAND'])

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

/** Headings as the anchors that GitHub makes of them. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!.toLowerCase())
  return new Set(headings.map((heading) => heading.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')))
}

describe('the documents', () => {
  it('link to files and headings that are there', () => {
    const broken = DOCUMENTS.flatMap((file) => {
      const links = [...read(file).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)/g)]
      return links.flatMap(([link, path = '', anchor]) => {
        const target = path === '' ? file : join(dirname(file), path)
        if (!existsSync(join(ROOT, target))) return [`${file}: ${link}`]
        const isHeading = anchor === undefined || anchorsOf(read(target)).has(anchor.slice(1))
        return isHeading ? [] : [`${file}: ${link}`]
      })
    })
    assert.ok(DOCUMENTS.length > 5)
    assert.deepEqual(broken, [])
  })

  it('name a test beside every row of the table of compatibility', () => {
    const section = /## Coming from Ory\n(.*?)\nDifferent on purpose/s.exec(read('README.md'))?.[1] ?? ''
    const rows = section.split('\n').filter((line) => line.startsWith('|') && !/^\| (what|---)|^\|---/.test(line))
    assert.ok(rows.length > 15)
    for (const row of rows) {
      const named = [...row.matchAll(/\[`([^`]+)`\]\((test\/[^)]+)\)/g)]
      assert.ok(named.length > 0, row)
      for (const [, name, file] of named) assert.ok(read(file!).includes(name!), `${file} has no test ${name}`)
    }
  })

  it('have a README of at most 300 lines', () => {
    assert.ok(read('README.md').split('\n').length <= 300)
  })
})

describe('madeDocuments', () => {
  it('are what stands in the repository', async () => {
    for (const [file, text] of await madeDocuments())
      assert.ok(existsSync(join(ROOT, file)) && read(file) === text, `${file} is out of date: run npm run build:docs`)
  })

  it('name every variable that a program reads', () => {
    const sources = globSync('{services,libs,db,deploy}/**/*.ts', { cwd: ROOT })
    const names = sources.flatMap((file) => read(file).match(/(?<=\benv\.)[A-Z][A-Z0-9_]+/g) ?? [])
    const reference = read('libs/config/CONFIGURATION.md')
    const missing = [...new Set(names)].filter(
      (name) => !NOBODYS_SETTING.has(name) && !reference.includes(`\`${name}\``),
    )
    assert.ok(names.length > 20)
    assert.deepEqual(missing, [])
  })
})
