/** POST /projects/{project}/test-connection: the way out of a configuration, saved or not, tried step by step. */
import { readFile } from 'node:fs/promises'
import { type Config, parseConfig } from '#libs/config'
import { CodedError, isCoded, messageOf } from '#libs/errors'
import { type GuardOptions, openGuard } from '#libs/resources'
import { parseSmtpUri } from '#libs/smtp'
import { hasTarget, operatorSettings, ownSettings, type SettingsPorts } from '../insights/project-settings.ts'
import { acceptConfig } from '../projects/accept-config.ts'
import { scopeOf } from '../projects/find-project.ts'
import type { ProjectRow } from '../projects/project-repository.ts'
import { newestRevision } from '../projects/revision-repository.ts'
import type { Step } from './steps.ts'
import { testHttp } from './test-http.ts'
import { testSmtp } from './test-smtp.ts'

/**
 * @param given an identity config that is not saved, with masks for what is; undefined for the saved one
 * @throws REQUEST_INVALID with every mistake of `given`
 */
export async function testTarget(project: ProjectRow, given: unknown, ports: SettingsPorts): Promise<readonly Step[]> {
  const operator = await operatorSettings(ports)
  const wanted = given === undefined ? await savedSettings(project, ports) : await givenSettings(project, given, ports)
  const isDefault = scopeOf(project.id).isDefault
  const settings = wanted !== undefined && (isDefault || hasTarget(wanted)) ? wanted : operator
  // Where connections may go is for the operator to say, whoever configured the target.
  const { clients } = isDefault ? settings : operator
  const { courier } = settings
  if (courier.delivery_strategy === 'http') {
    const url = urlOf(courier)
    return testHttp(url, httpGuard(clients).forUrl(url.href))
  }
  if (courier.smtp.connection_uri === undefined)
    throw new CodedError(
      'REQUEST_INVALID',
      'courier.smtp.connection_uri: is missing, and there is no mailbox on this machine: set it to a URI such as smtps://user:password@mail.example.org:465/',
    )
  return testSmtp({
    target: parsed(courier.smtp.connection_uri),
    localName: localName(courier.smtp),
    fromAddress: courier.smtp.from_address,
    clientCertificate: await clientCertificate(courier.smtp),
    guard: openGuard({
      disallowPrivate: clients.smtp.disallow_private_ip_ranges,
      setting: 'clients.smtp.disallow_private_ip_ranges',
    }),
  })
}

function savedSettings({ id }: ProjectRow, ports: SettingsPorts): Promise<Config | undefined> {
  return scopeOf(id).isDefault ? operatorSettings(ports) : ownSettings(id, ports)
}

/** As it would be stored, under the same rules: a mask keeps the stored secret only while its target stays. */
async function givenSettings({ id, name }: ProjectRow, given: unknown, ports: SettingsPorts): Promise<Config> {
  const { database, sealer, mailboxPort } = ports
  const row = await newestRevision(database, id)
  const stored = row === undefined ? {} : sealer.open(id, row.sealed)
  const { document } = acceptConfig(given, { projectId: id, projectName: name, stored })
  return parseConfig(document, { mailboxPort: scopeOf(id).isDefault ? mailboxPort : undefined })
}

function urlOf({ http }: Config['courier']): URL {
  const url = URL.parse(http.request_config?.url ?? '')
  if (url === null)
    throw new CodedError('REQUEST_INVALID', 'courier.http.request_config.url: expected an http:// or https:// URL')
  return url
}

function httpGuard({ http }: Config['clients']) {
  return openGuard({
    disallowPrivate: http.disallow_private_ip_ranges,
    exceptionUrls: http.private_ip_exception_urls,
  } satisfies GuardOptions)
}

/** Goes into a command as it is, so that a line end in it would begin another one. Couriers check it the same way. */
function localName({ local_name: name }: Config['courier']['smtp']): string {
  if (/^[A-Za-z0-9._:[\]-]{1,255}$/.test(name)) return name
  throw new CodedError('REQUEST_INVALID', 'courier.smtp.local_name: expected a host name such as mail.example.org')
}

function parsed(uri: string) {
  try {
    return parseSmtpUri(uri)
  } catch (error) {
    if (isCoded(error)) throw new CodedError('REQUEST_INVALID', messageOf(error))
    throw error
  }
}

/** Files of this server: only the operator's configuration can name any. */
async function clientCertificate({ client_cert_path: certPath, client_key_path: keyPath }: Config['courier']['smtp']) {
  if (certPath === '' || keyPath === '') return undefined
  const read = (path: string, key: string): Promise<Buffer> =>
    readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw new CodedError(
        'REQUEST_INVALID',
        `courier.smtp.${key}: the file cannot be read (${error.code ?? 'unreadable'})`,
      )
    })
  return { cert: await read(certPath, 'client_cert_path'), key: await read(keyPath, 'client_key_path') }
}
