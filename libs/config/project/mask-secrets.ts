/** Configurations as they are shown: every secret that the schema marks is the mask. */
import { branchOf, childOf, isRecord, type SchemaNode } from '../schema-node.ts'
import { MASK, maskUri } from './secret-uri.ts'

/** `value` without its secrets. What the schema does not know counts as one; so does nothing that is empty. */
export function maskSecrets(node: SchemaNode | undefined, value: unknown, isBelowSecret = false): unknown {
  const isSecret = isBelowSecret || node === undefined || (node.secret === true && node.isShown !== true)
  if (Array.isArray(value)) return value.map((item) => maskSecrets(node?.items, item, isSecret))
  if (isRecord(value)) {
    const branch = node && branchOf(node, value)
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [key, maskSecrets(branch && childOf(branch, key), child, isSecret)]),
    )
  }
  if (!isSecret || value === '') return value
  return node?.uri !== undefined && typeof value === 'string' ? maskUri(value) : MASK
}
