/** `npm run build:contract`: writes the documents of the contract beside this file. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { contractDocuments } from './documents.ts'

for (const [name, text] of contractDocuments()) {
  const path = join(import.meta.dirname, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
