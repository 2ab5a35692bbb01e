/** X.509 certificates for tests, made in this process: no OpenSSL on the path is needed, and nothing expires in a repository. */
import { generateKeyPairSync, type KeyObject, type KeyPairKeyObjectResult, randomBytes, sign } from 'node:crypto'

export interface Certificate {
  /** PEM. */
  readonly cert: string
  readonly key: string
}

const ECDSA_SHA256 = oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])
const COMMON_NAME = oid([0x55, 0x04, 0x03])
const ALT_NAME = oid([0x55, 0x1d, 0x11])
const BASIC_CONSTRAINTS = oid([0x55, 0x1d, 0x13])
const DAY_MS = 86_400_000

/** Epoch ms; a day before and after now unless given. */
export interface Validity {
  readonly from?: number
  readonly to?: number
}

interface Issuer {
  readonly name: string
  readonly key: KeyObject
}

export interface Authority extends Certificate {
  /** Signs for host names, of which the first is the common name too. */
  readonly issue: (hostNames: string | readonly string[], validity?: Validity) => Certificate
}

export function openAuthority(name = 'Test Authority'): Authority {
  const pair = newPair()
  const issuer = { name, key: pair.privateKey }
  return {
    ...certificate(issuer, [name], pair, { isAuthority: true }),
    issue: (hostNames, validity = {}) => certificate(issuer, [hostNames].flat(), newPair(), validity),
  }
}

export function selfSigned(hostName: string): Certificate {
  const pair = newPair()
  return certificate({ name: hostName, key: pair.privateKey }, [hostName], pair)
}

function newPair(): KeyPairKeyObjectResult {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** RFC 5280 4.1, with just the two extensions that matter here. */
function certificate(
  issuer: Issuer,
  names: readonly string[],
  { publicKey, privateKey }: KeyPairKeyObjectResult,
  {
    isAuthority = false,
    from = Date.now() - DAY_MS,
    to = Date.now() + DAY_MS,
  }: Validity & { isAuthority?: boolean } = {},
): Certificate {
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    integer(randomBytes(8)),
    sequence(ECDSA_SHA256),
    name(issuer.name),
    sequence(time(from), time(to)),
    name(names[0] ?? ''),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(
      0xa3,
      sequence(
        sequence(
          BASIC_CONSTRAINTS,
          tagged(0x01, Buffer.from([0xff])),
          octets(sequence(...(isAuthority ? [TRUE] : []))),
        ),
        sequence(ALT_NAME, octets(sequence(...names.map(altName)))),
      ),
    ),
  )
  const signature = sign('sha256', body, issuer.key)
  const der = sequence(body, sequence(ECDSA_SHA256), tagged(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}

function altName(hostName: string): Buffer {
  return tagged(0x82, Buffer.from(hostName.replaceAll(' ', '-')))
}

const TRUE = tagged(0x01, Buffer.from([0xff]))

function name(text: string): Buffer {
  return sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, Buffer.from(text)))))
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)
  return tagged(0x17, Buffer.from(`${digits}Z`))
}

/** Positive, and without leading zeros, which DER does not allow. */
function integer(bytes: Buffer): Buffer {
  return tagged(0x02, Buffer.from([(bytes[0]! & 0x7f) | 0x01, ...bytes.subarray(1)]))
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content)
}

function oid(bytes: number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes))
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, ...parts)
}

/** DER: a tag, a length of one to three bytes, the content. */
function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
