import { CodedError } from '#libs/errors'

const PREFIX = 'base64://'

/**
 * What a `base64://` URI holds: standard alphabet, with its padding, line breaks ignored.
 * @throws CONFIG_INVALID, without the payload: it may hold credentials
 */
export function decodeBase64(uri: string): Buffer {
  const payload = uri.slice(PREFIX.length).replace(/[\r\n]/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(payload)) {
    throw invalid(/[-_]/.test(payload) ? 'found - or _ of the URL alphabet, use + and /' : 'found other characters')
  }
  if (payload.length % 4 !== 0) throw invalid('its padding with = is missing or wrong')
  return Buffer.from(payload, 'base64')
}

function invalid(problem: string): CodedError {
  return new CodedError('CONFIG_INVALID', `${PREFIX}[not shown]: not standard base64, ${problem}`)
}
