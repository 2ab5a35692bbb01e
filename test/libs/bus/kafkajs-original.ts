/** What kafkajs' own files give, whatever was put in their place. */
import { createRequire } from 'node:module'
import fc from 'fast-check'

const load = createRequire(import.meta.url)
const SOURCE = 'kafkajs/src/'

/** A file's own exports, loaded apart from those in use. */
export function original(path: string) {
  const file = load.resolve(SOURCE + path)
  const inUse = load.cache[file]
  delete load.cache[file]
  const found = load(file)
  if (inUse === undefined) delete load.cache[file]
  else load.cache[file] = inUse
  return found
}

/** A file's exports as kafkajs gets them. */
export function inUse(path: string) {
  return load(SOURCE + path)
}

const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constant('\ud800 alone'),
  fc.integer({ min: 0, max: 20_000 }).map((length) => 'x'.repeat(length)),
)
const bytes = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
)
/** Names that every object has are left out: kafkajs takes what it finds there for a first value. */
const name = fc
  .oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'grapheme', maxLength: 60 }))
  .filter((given) => !(given in {}))

/** Messages as a producer gives them. */
export const messages = fc.array(
  fc.record(
    {
      key: fc.option(bytes),
      value: fc.option(bytes),
      headers: fc.dictionary(name, bytes, { maxKeys: 90, noNullPrototype: true }),
    },
    { requiredKeys: ['value'] },
  ),
  { maxLength: 500, size: 'medium' },
)
