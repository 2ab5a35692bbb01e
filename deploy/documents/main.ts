/** `npm run build:docs`: writes every document that is made from the code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { madeDocuments } from './made-documents.ts'

const ROOT = join(import.meta.dirname, '../..')

for (const [file, text] of await madeDocuments()) writeFileSync(join(ROOT, file), text)
