/**
 * The certificate authorities that Node trusts (its own, the system's, those of NODE_EXTRA_CA_CERTS) as a trust store of Java. A
 * packaged Java brings its own list only, and would refuse the registries behind a company's proxy that npm and pip reach.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { getCACertificates } from 'node:tls'

/** The format JKS, version 2. */
const MAGIC = 0xfeedfeed
const TRUSTED_CERTIFICATE = 2
/** The password that every Java tries; it keeps no secret, the list is public. */
const PASSWORD = 'changeit'

/** Writes the trust store in one step: a Java that reads it meanwhile sees the old one or the new. */
export async function writeTrustStore(path: string): Promise<void> {
  const certificates = [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
  const next = await mkdtemp(join(dirname(path), 'next-'))
  try {
    await writeFile(join(next, 'store'), trustStore(certificates))
    await rename(join(next, 'store'), path)
  } finally {
    await rm(next, { recursive: true, force: true })
  }
}

/** @param certificates in PEM; each once */
export function trustStore(certificates: readonly string[]): Buffer {
  const head = [uint32(MAGIC), uint32(2), uint32(certificates.length)]
  const content = Buffer.concat([...head, ...certificates.map(entry)])
  // The digest that the format asks for, with the words that it asks for.
  const password = Buffer.from(PASSWORD, 'utf16le').swap16()
  const digest = createHash('sha1').update(password).update('Mighty Aphrodite').update(content).digest()
  return Buffer.concat([content, digest])
}

function entry(certificate: string, index: number): Buffer {
  const der = new X509Certificate(certificate).raw
  const addedAt = Buffer.alloc(8)
  return Buffer.concat([
    uint32(TRUSTED_CERTIFICATE),
    shortText(`ca-${index}`),
    addedAt,
    shortText('X.509'),
    uint32(der.length),
    der,
  ])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function shortText(text: string): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(Buffer.byteLength(text))
  return Buffer.concat([length, Buffer.from(text)])
}
