/** Jsonnet as it stands in a configuration: embedded in a URI. */
export const EMBEDDED = 'base64://'

/** UTF-8 in Base64; in pieces, since a call takes only so many arguments. */
export function encodeBody(text: string): string {
  const characters = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte))
  return EMBEDDED + btoa(characters.join(''))
}

export function decodeBody(uri: string): string {
  try {
    const bytes = Uint8Array.from(atob(uri.slice(EMBEDDED.length)), (character) => character.charCodeAt(0))
    return new TextDecoder().decode(bytes)
  } catch {
    return '' // no Base64: there is nothing to show
  }
}
