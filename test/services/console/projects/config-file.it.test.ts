/** The operator's file and environment as revisions of the project `default`, on real files and a real database. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Database, openDatabase } from '#libs/database'
import { DEFAULT_PROJECT_ID, openSealer } from '#libs/messages'
import { followConfigFile } from '../../../../services/console/projects/follow-config-file.ts'
import { openOperatorSettings } from '../../../../services/console/projects/operator-settings.ts'
import { takeOverFile } from '../../../../services/console/projects/take-over-file.ts'
import { replaceConfig } from '../../../../services/console/projects/write-config.ts'
import { freePort, testDatabase, waitFor } from '../../../support/servers.ts'

const SECRET = 'a secret of the file tests'
const INTERVAL_MS = 20
const MAIN = fileURLToPath(new URL('../../../../services/console/main.ts', import.meta.url))

function retries(number: number): string {
  return `courier:\n  message_retries: ${number}\n  smtp:\n    connection_uri: smtp://ada:s3c-filepassword@mail.example.org/\n`
}

interface Revision {
  readonly number: number
  readonly author: string
  readonly sealed: string
}

interface Following extends AsyncDisposable {
  readonly errors: string[]
}

describe('the configuration file', () => {
  let folder: string
  let database: Database
  let url: string
  const sealer = openSealer([SECRET])
  const stack = new AsyncDisposableStack()
  before(async () => {
    ;({ url } = stack.use(await testDatabase()))
    database = stack.use(openDatabase({ url, applicationName: 'file-test', max: 8 }))
    folder = await mkdtemp(join(tmpdir(), 'config-file-'))
    stack.defer(() => rm(folder, { recursive: true }))
  })
  after(() => stack.disposeAsync())

  /** As one console does it. */
  async function follow(file: string, env: Record<string, string> = {}, ofSealer = sealer): Promise<Following> {
    const stop = new AbortController()
    const errors: string[] = []
    const { ended } = await followConfigFile(
      {
        ...openOperatorSettings({ POSTRIDER_CONFIG: file, ...env }),
        takeOver: (document) => takeOverFile(document, { database, sealer: ofSealer }),
        log: { info: () => undefined, error: (...told: unknown[]) => errors.push(JSON.stringify(told)) },
        intervalMs: INTERVAL_MS,
      },
      stop.signal,
    )
    return {
      errors,
      [Symbol.asyncDispose]: () => {
        stop.abort()
        return ended
      },
    }
  }

  async function revisions(): Promise<Revision[]> {
    const { rows } = await database.query<Revision>({
      text: 'select number, author, sealed from config.revision where project_id = $1 order by number desc',
      values: [DEFAULT_PROJECT_ID],
    })
    return rows
  }
  // biome-ignore lint/suspicious/noExplicitAny: documents are read as a user's script would
  async function newest(): Promise<any> {
    const [row] = await revisions()
    return row && { ...row, document: sealer.open(DEFAULT_PROJECT_ID, row.sealed) }
  }
  const newestRetries = async (expected: number): Promise<void> => {
    await waitFor(async () => (await newest())?.document.courier?.message_retries === expected, {
      message: `no revision has message_retries: ${expected}`,
    })
  }
  const writeByApi = (message_retries: number) =>
    replaceConfig(
      { courier: { message_retries } },
      { project: { id: DEFAULT_PROJECT_ID, name: 'Postrider' }, author: 'grace', expected: undefined },
      { database, sealer, checkEmbedded: async () => [] },
    )

  it('becomes a revision at start, with the environment over it and no secret of processes', async () => {
    const file = join(folder, 'start.yaml')
    await writeFile(
      file,
      `${retries(3)}secrets:\n  cipher: [${SECRET}]\ndsn: memory\npostrider:\n  courier: { window: 9 }\n`,
    )
    await using _console = await follow(file, { COURIER_SMTP_FROM_NAME: 'Ada' })
    const { author, document, sealed } = await newest()
    assert.equal(author, 'file')
    assert.deepEqual(document, {
      courier: {
        message_retries: 3,
        smtp: { connection_uri: 'smtp://ada:s3c-filepassword@mail.example.org/', from_name: 'Ada' },
      },
    })
    assert.equal(sealed.includes('s3c-'), false)
  })

  it('makes no second revision at the next start, whatever the order of keys and the sealing secret', async () => {
    const file = join(folder, 'again.yaml')
    await writeFile(file, retries(4))
    await (await follow(file))[Symbol.asyncDispose]()
    const { number } = await newest()
    await writeFile(
      file,
      'courier:\n  smtp: {connection_uri: "smtp://ada:s3c-filepassword@mail.example.org/"}\n  message_retries: 4 # the same\n',
    )
    await (await follow(file))[Symbol.asyncDispose]()
    const rotated = openSealer(['the next secret of the tests', SECRET])
    await (await follow(file, {}, rotated))[Symbol.asyncDispose]()
    // The old secret goes; what was taken over is still known.
    await (await follow(file, {}, openSealer(['the next secret of the tests'])))[Symbol.asyncDispose]()
    assert.equal((await newest()).number, number)
  })

  it('leaves a revision of the API alone until its own content changes', async () => {
    const file = join(folder, 'api.yaml')
    await writeFile(file, retries(2))
    await (await follow(file))[Symbol.asyncDispose]()
    await writeByApi(9)
    await writeFile(file, `${retries(2)}postrider:\n  courier: { window: 7 }\n`)
    await using _console = await follow(file)
    assert.deepEqual([(await newest()).author, (await newest()).document.courier.message_retries], ['grace', 9])
    await writeFile(file, retries(1))
    await newestRetries(1)
    assert.equal((await newest()).author, 'file')
  })

  it('is followed when another file takes its place', async () => {
    const file = join(folder, 'replaced.yaml')
    await writeFile(file, retries(11))
    await using _console = await follow(file)
    for (const number of [12, 13]) {
      await writeFile(`${file}.new`, retries(number))
      await rename(`${file}.new`, file)
      await newestRetries(number)
    }
  })

  it('is followed through the links of a Kubernetes volume', async () => {
    const volume = join(folder, 'volume')
    for (const number of [21, 22]) {
      await mkdir(join(volume, `..${number}`), { recursive: true })
      await writeFile(join(volume, `..${number}`, 'postrider.yaml'), retries(number))
    }
    await symlink('..21', join(volume, '..data'))
    await symlink('..data/postrider.yaml', join(volume, 'postrider.yaml'))
    await using _console = await follow(join(volume, 'postrider.yaml'))
    await newestRetries(21)
    await symlink('..22', join(volume, '..data_tmp'))
    await rename(join(volume, '..data_tmp'), join(volume, '..data'))
    await newestRetries(22)
  })

  it('keeps the last good revision while a change is invalid or the file is gone, and says once why', async () => {
    const file = join(folder, 'invalid.yaml')
    await writeFile(file, retries(31))
    await using console = await follow(file)
    const { number } = await newest()
    const told = (count: number) => waitFor(() => console.errors.length === count, { message: 'told nothing' })

    await writeFile(file, `${retries(32)}  delivery_strategi: smtp\n`)
    await told(1)
    assert.match(
      console.errors[0] ?? '',
      /invalid\.yaml:5:3 courier\.delivery_strategi: unknown key, did you mean delivery_strategy\?/,
    )
    await writeFile(file, 'courier:\n  smtp:\n    connection_uri: smtp://ada:s3c-pass/word@mail.example.org/\n')
    await told(2)
    assert.match(console.errors[1] ?? '', /courier\.smtp\.connection_uri: .*percent-encoded/)
    await rm(file)
    await told(3)
    assert.match(console.errors[2] ?? '', /invalid\.yaml: there is no such file/)
    assert.equal((await newest()).number, number)
    assert.equal(console.errors.join('').includes('s3c-'), false)

    await writeFile(file, retries(33))
    await newestRetries(33)
    assert.equal(console.errors.length, 3)
  })

  it('becomes one revision, however many consoles see it', async () => {
    const file = join(folder, 'shared.yaml')
    await writeFile(file, retries(41))
    const { number } = await newest()
    const consoles = await Promise.all(Array.from({ length: 5 }, () => follow(file)))
    assert.equal((await newest()).number, number + 1)
    await writeFile(file, retries(42))
    await newestRetries(42)
    await Promise.all(consoles.map((each) => each[Symbol.asyncDispose]()))
    const later = await Promise.all(Array.from({ length: 2 }, () => follow(file)))
    await Promise.all(later.map((each) => each[Symbol.asyncDispose]()))
    assert.equal((await newest()).number, number + 2)
  })

  it('waits for a database that is away', async () => {
    const file = join(folder, 'away.yaml')
    await writeFile(file, retries(51))
    const stop = new AbortController()
    let failures = 0
    const taken: unknown[] = []
    const { ended } = await followConfigFile(
      {
        ...openOperatorSettings({ POSTRIDER_CONFIG: file }),
        takeOver: async (document) => {
          if (++failures <= 2) throw new Error('no database')
          taken.push(document)
          return 1
        },
        log: { info: () => undefined, error: () => undefined },
        intervalMs: INTERVAL_MS,
      },
      stop.signal,
    )
    await waitFor(() => taken.length === 1, { message: 'was not tried again' })
    stop.abort()
    await ended
  })

  it('is taken over by a console process before it serves, and after every change', async () => {
    const file = join(folder, 'process.yaml')
    await writeFile(file, `${retries(61)}dsn: s3c-dsn\nsession:\n  lifespan: s3c-hour\n`)
    const port = await freePort()
    const env = {
      ...process.env,
      POSTRIDER_CONFIG: file,
      DATABASE_URL: url,
      SECRETS_CIPHER: JSON.stringify([SECRET]),
      POSTRIDER_CONSOLE_PORT: String(port),
    }
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    try {
      const path = `http://127.0.0.1:${port}/projects/default/identity-config`
      const output = outputOf(child)
      const config = async () => (await (await fetch(path)).json()) as { courier: { message_retries: number } }
      const first = await waitFor(() => config(), { timeoutMs: 30_000, message: output })
      assert.equal(first.courier.message_retries, 61)
      assert.match(output(), /"level":"info".*"keys":\["dsn","session"\].*ignored/)
      await writeFile(`${file}.new`, retries(62))
      await rename(`${file}.new`, file)
      await waitFor(async () => (await config()).courier.message_retries === 62, { timeoutMs: 20_000, message: output })
      assert.equal(output().includes('s3c-'), false)
    } finally {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      assert.equal((await exited)[0], 0)
    }
  })
})

function outputOf(child: ChildProcess): () => string {
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}
