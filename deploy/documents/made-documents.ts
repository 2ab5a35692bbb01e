/** The documents that are made from the code, so that none can say something else. */
import { OPENAPI as CONSOLE } from '../../services/console/openapi.ts'
import { OPENAPI as IDENTITY } from '../../services/identity/openapi.ts'
import { buildProgram } from '../cli/build-program.ts'
import { apiReference } from './api-reference.ts'
import { commandReference } from './command-reference.ts'
import { configurationReference } from './configuration-reference.ts'
import { consoleAccess } from './console-access.ts'
import type { Document, Operation } from './openapi-document.ts'

const CONSOLE_ABOUT = `The console listens on <http://127.0.0.1:4434> unless \`postrider.console.port\` says otherwise. Paths below \`/admin/courier/messages\` answer without \`/admin\` too.

Beyond loopback everything but what is public wants a key, as \`Authorization: Bearer pr_…\`; without one the answer is 401, with one whose role does not grant the
access 403. A \`viewer\` may read, a \`sender\` send, an \`operator\` read, send and operate, an \`admin\` everything.`

const IDENTITY_ABOUT = `The identity service listens on <http://127.0.0.1:4433> unless \`postrider.identity.port\` says otherwise. Everybody may call it; where a session is needed, its
token goes into \`X-Session-Token\` or \`Authorization: Bearer\`. \`/admin/courier/messages\` answers 307 to the console.`

/** @returns path from the project's root, and content */
export async function madeDocuments(): Promise<(readonly [file: string, text: string])[]> {
  const access = await consoleAccess()
  return [
    ['libs/config/CONFIGURATION.md', configurationReference()],
    ['deploy/cli/COMMANDS.md', commandReference(buildProgram('postrider'))],
    [
      'services/console/API.md',
      apiReference(CONSOLE as Document, { title: 'Console API', about: CONSOLE_ABOUT, accessOf: access }),
    ],
    [
      'services/identity/API.md',
      apiReference(IDENTITY as Document, { title: 'Identity API', about: IDENTITY_ABOUT, accessOf: identityAccess }),
    ],
  ]
}

function identityAccess(_method: string, _path: string, { security }: Operation): string {
  return security === undefined ? 'public' : 'session'
}
