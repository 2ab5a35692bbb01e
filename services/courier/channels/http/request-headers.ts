/** Header names in any case are one header; the last value counts. */
export interface RequestHeaders {
  readonly get: (name: string) => string | undefined
  readonly set: (name: string, value: string) => void
  readonly remove: (name: string) => void
  /** Names and values by turns. */
  readonly list: () => readonly string[]
}

export function openRequestHeaders(initial: readonly (readonly [name: string, value: string])[]): RequestHeaders {
  const headers = new Map<string, readonly [name: string, value: string]>()
  const set = (name: string, value: string): void => {
    headers.set(name.toLowerCase(), [name, value])
  }
  for (const [name, value] of initial) set(name, value)
  return {
    get: (name) => headers.get(name.toLowerCase())?.[1],
    set,
    remove: (name) => {
      headers.delete(name.toLowerCase())
    },
    list: () => [...headers.values()].flat(),
  }
}
