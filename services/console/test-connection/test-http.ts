/** An HTTP target as far as it can be tried without a mail: its name, its port, its TLS. */
import type { AddressGuard } from '#libs/resources'
import { explainConnection, reach, secure } from './reach.ts'
import { openSteps, type Step } from './steps.ts'

const NOT_SENT =
  'No request is sent, since any may be a mail to the provider: credentials and the body are tried by a test message.'

/** Never rejects for what the server does. */
export async function testHttp(url: URL, guard: AddressGuard): Promise<readonly Step[]> {
  const isTls = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const steps = openSteps(explainConnection(url.host))
  const socket = await reach({ host, port: Number(url.port) || (isTls ? 443 : 80) }, guard, steps)
  try {
    if (isTls) await steps.take('tls', () => secure(socket!, { name: host, verify: true }))
    else steps.skip('tls', 'The URL begins with http://: everything goes in clear.')
    if (!steps.hasFailed()) steps.skip('request', NOT_SENT)
  } finally {
    socket?.destroy()
  }
  return steps.list()
}
