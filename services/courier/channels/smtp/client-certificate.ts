/** The certificate that we show: read and checked when a channel is opened, so that no mail ever leaves without it by mistake. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { CodedError } from '#libs/errors'

/** Paths of PEM files, both or none: '' stands for unset. */
export interface ClientCertificate {
  /** `courier.smtp.client_cert_path`: the certificate first, then any intermediate ones. */
  readonly certPath: string
  /** `courier.smtp.client_key_path`: without passphrase. */
  readonly keyPath: string
}

type Key = 'client_cert_path' | 'client_key_path'

/** PEM for `tls.connect`; nothing where none is configured. @throws CONFIG_INVALID naming the key and the remedy */
export function loadClientCertificate({ certPath, keyPath }: ClientCertificate): { cert?: string; key?: string } {
  if (certPath === '' && keyPath === '') return {}
  if (certPath === '') throw invalid('client_cert_path', 'is missing: set it beside client_key_path, or neither')
  if (keyPath === '') throw invalid('client_key_path', 'is missing: set it beside client_cert_path, or neither')
  const cert = read('client_cert_path', certPath)
  const key = read('client_key_path', keyPath)
  if (!parseCertificate(cert, certPath).checkPrivateKey(parseKey(key, keyPath))) {
    throw invalid(
      'client_key_path',
      `${shown(keyPath)} is not the key of the certificate in client_cert_path: name the file that was made with it`,
    )
  }
  return { cert, key }
}

function read(setting: Key, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable'
    const remedy = PROBLEMS[code] ?? 'make it readable for this process'
    throw invalid(setting, `${shown(path)} cannot be read (${code}): ${remedy}`, cause)
  }
}

const PROBLEMS: Record<string, string | undefined> = {
  ENOENT: 'put the file there, or correct the path',
  EISDIR: 'name the file in that folder',
}

function parseCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    const remedy = pem.includes('PRIVATE KEY-----') ? 'it holds a key; are the two paths swapped?' : convert('x509')
    throw invalid('client_cert_path', `${shown(path)} holds no certificate in PEM: ${remedy}`, cause)
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    if (pem.includes('ENCRYPTED')) {
      const remedy = 'write it without, as `openssl pkey -in <file> -out <new file>` does'
      throw invalid('client_key_path', `${shown(path)} is protected by a passphrase: ${remedy}`, cause)
    }
    const remedy = pem.includes('BEGIN CERTIFICATE') ? 'it holds a certificate' : convert('pkey')
    throw invalid('client_key_path', `${shown(path)} holds no private key in PEM: ${remedy}`, cause)
  }
}

function convert(tool: 'x509' | 'pkey'): string {
  return `convert it, as \`openssl ${tool} -inform DER -in <file> -out <new file>\` does`
}

function shown(path: string): string {
  return JSON.stringify(path)
}

function invalid(setting: Key, problem: string, cause?: unknown): CodedError {
  return new CodedError('CONFIG_INVALID', `courier.smtp.${setting}: ${problem}`, { cause })
}
