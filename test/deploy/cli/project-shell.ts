/** A console on a database of its own, and the command line in a folder of its own that speaks with it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openConsole } from '../../services/console/open-console.ts'
import { type Ended, EXECUTABLE, type RunOptions, runCli } from './run-cli.ts'

export const BODY = 'function(ctx) { to: ctx.recipient }'
/** What the guide says to add to the configuration. */
export const GUIDE = `courier:
  delivery_strategy: http
  http:
    request_config:
      url: https://mail-sender.example.com
      method: POST
      body: base64://${Buffer.from(BODY).toString('base64')} # See below for the default payload and available variables
      headers:
        Content-Type: application/json
      auth: # leave out, if your server doesn't require authentication, but note that we don't recommend that
        type: basic_auth # or api_key
        config:
          user: my-username
          password: my-password
        # if you want to use an API key (type: api_key), use the following config instead:
        # name: my-api-name
        # value: my-api-key-value
        # in: header # or cookie
`

interface Stored {
  // biome-ignore lint/suspicious/noExplicitAny: tests read configurations as a user's script would
  readonly config: any
  readonly author: string
}

export interface ProjectShell extends AsyncDisposable {
  /** Working directory and POSTRIDER_HOME of every command. */
  readonly folder: string
  /** The executable under its other name, as npm links it. */
  readonly ory: string
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ended>
  /** Runs what must succeed. @returns stdout */
  readonly done: (args: readonly string[], options?: RunOptions) => Promise<string>
  /** A project of the test alone. */
  readonly project: () => Promise<{ readonly id: string; readonly slug: string }>
  /** Writes a file. @returns its name */
  readonly file: (name: string, text: string) => Promise<string>
  /** The newest revision as couriers read it, with its secrets. */
  readonly stored: (id: string) => Promise<Stored>
}

export async function openProjectShell(): Promise<ProjectShell> {
  const stack = new AsyncDisposableStack()
  const { url, request, database, sealer } = stack.use(await openConsole())
  const folder = await mkdtemp(join(tmpdir(), 'postrider-projects-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const ory = join(folder, 'ory')
  await symlink(EXECUTABLE, ory)
  let count = 0
  const run: ProjectShell['run'] = (args, options = {}) => {
    const env = { POSTRIDER_URL: url, POSTRIDER_HOME: folder, POSTRIDER_COMMAND: 'ory', ...options.env }
    return runCli(args, { cwd: folder, ...options, env })
  }
  return {
    folder,
    ory,
    run,
    done: async (args, options) => {
      const { code, stdout, stderr } = await run(args, options)
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
      return stdout
    },
    project: async () => {
      const { status, body } = await request('POST', '/projects', { name: `Shop ${++count}`, slug: `shop-${count}` })
      assert.equal(status, 201)
      return body
    },
    file: async (name, text) => {
      await writeFile(join(folder, name), text)
      return name
    },
    stored: async (id) => {
      const { rows } = await database.query<{ sealed: string; author: string }>({
        text: 'select sealed, author from config.revision where project_id = $1 order by number desc limit 1',
        values: [id],
      })
      return { config: sealer.open(id, rows[0]!.sealed), author: rows[0]!.author }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
