/** The files of the contract, by name: what `npm run build:contract` writes, and what a test compares with the committed ones. */
import { stringify } from 'yaml'
import { asyncApiDocument } from './asyncapi.ts'
import { STATUS_EXAMPLES } from './examples.ts'
import { STATUS_SCHEMA } from './status-schema.ts'

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

export function contractDocuments(): Map<string, string> {
  const examples = Object.entries(STATUS_EXAMPLES).map(
    ([state, { key, headers, value }]) =>
      [`examples/${state}.json`, jsonText({ key, headers, value: JSON.parse(value) })] as const,
  )
  return new Map([
    ['delivery-status.v1.json', jsonText({ $schema: DIALECT, ...STATUS_SCHEMA })],
    ['asyncapi.yaml', stringify(asyncApiDocument(), { lineWidth: 120, aliasDuplicateObjects: false })],
    ...examples,
  ])
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
