/** How a request says who sends it. */
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { CodedError } from '#libs/errors'
import { basicCredentials, urlCredentials } from '#libs/resources'
import type { RequestConfig } from './http-options.ts'
import type { RequestHeaders } from './request-headers.ts'

type Auth = NonNullable<RequestConfig['auth']>
type ApiKey = Extract<Auth, { readonly type: 'api_key' }>['config']

/** RFC 6265 4.1.1, and blank and comma, which are quoted as Go quotes them. */
const COOKIE_VALUE = /^[\x20\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]*$/
const COOKIE_NAME = /^[\w!#$%&'*+.^`|~-]+$/

/** An API key or a password takes the place of a configured header of that name. @throws CONFIG_INVALID */
export function authorize(headers: RequestHeaders, auth: Auth | undefined, url: URL, setting: string): void {
  if (auth?.type === 'basic_auth') {
    return headers.set('Authorization', basicCredentials(auth.config.user, auth.config.password))
  }
  if (auth?.type === 'api_key') {
    const key = `${setting}.auth.config`
    return auth.config.in === 'cookie' ? addCookie(headers, auth.config, key) : setKey(headers, auth.config, key)
  }
  const ofUrl = urlCredentials(url)
  if (ofUrl !== undefined && headers.get('Authorization') === undefined) headers.set('Authorization', ofUrl)
}

function setKey(headers: RequestHeaders, { name, value }: ApiKey, key: string): void {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch {
    throw new CodedError('CONFIG_INVALID', `${key}: expected a name and a value that fit into a header`)
  }
  headers.set(name, value)
}

function addCookie(headers: RequestHeaders, { name, value }: ApiKey, key: string): void {
  if (!COOKIE_NAME.test(name) || !COOKIE_VALUE.test(value)) {
    throw new CodedError('CONFIG_INVALID', `${key}: expected a name and a value that fit into a cookie`)
  }
  const cookie = `${name}=${/[ ,]/.test(value) ? `"${value}"` : value}`
  const others = headers.get('Cookie')
  headers.set('Cookie', others === undefined ? cookie : `${others}; ${cookie}`)
}
