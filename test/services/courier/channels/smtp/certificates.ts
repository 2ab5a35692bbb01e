/** X.509 certificates for tests, made in this process: no OpenSSL on the path is needed, and nothing expires in a repository. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

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

interface Issuer {
  readonly name: string
  readonly key: KeyObject
}

/** An authority and a maker of certificates that it signs, for host names. */
export function openAuthority(
  name = 'Test Authority',
): Certificate & { readonly issue: (hostName: string) => Certificate } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = { name, key: privateKey }
  return {
    ...certificate(issuer, name, publicKey, privateKey, true),
    issue: (hostName) => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      return certificate(issuer, hostName, pair.publicKey, pair.privateKey, false)
    },
  }
}

export function selfSigned(hostName: string): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return certificate({ name: hostName, key: privateKey }, hostName, publicKey, privateKey, false)
}

/** RFC 5280 4.1, with just the two extensions that matter here. */
function certificate(
  issuer: Issuer,
  subject: string,
  publicKey: KeyObject,
  privateKey: KeyObject,
  isAuthority: boolean,
): Certificate {
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(randomBytes(8)),
    sequence(ECDSA_SHA256),
    name(issuer.name),
    sequence(time(Date.now() - DAY_MS), time(Date.now() + DAY_MS)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(
      0xa3,
      sequence(
        sequence(
          BASIC_CONSTRAINTS,
          tagged(0x01, Buffer.from([0xff])),
          octets(sequence(...(isAuthority ? [TRUE] : []))),
        ),
        sequence(ALT_NAME, octets(sequence(tagged(0x82, Buffer.from(subject.replaceAll(' ', '-')))))),
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

const TRUE = tagged(0x01, Buffer.from([0xff]))

function name(text: string): Buffer {
  return sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, Buffer.from(text)))))
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)
  return tagged(0x17, Buffer.from(`${digits}Z`))
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, Buffer.from([bytes[0]! & 0x7f, ...bytes.subarray(1)]))
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
