/** JSON Pointer, RFC 6901. */
import { isRecord } from './document.ts'

/** @throws where `pointer` is no pointer */
export function tokensOf(pointer: string): string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw new Error('a JSON pointer starts with / or is empty')
  if (/~(?![01])/.test(pointer)) throw new Error('in a JSON pointer ~ is written ~0 and / within a key ~1')
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** @throws with the first part of the pointer that leads nowhere */
export function valueAtPointer(data: unknown, pointer: string): unknown {
  let found = data
  for (const [index, token] of tokensOf(pointer).entries()) {
    found = step(found, token)
    if (found === undefined) {
      const place = pointer.split('/').slice(0, index + 2)
      throw new Error(`jsonpointer ${pointer}: there is nothing at ${place.join('/')}`)
    }
  }
  return found
}

function step(value: unknown, token: string): unknown {
  if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(token) ? value[Number(token)] : undefined
  return isRecord(value) && Object.hasOwn(value, token) ? value[token] : undefined
}
